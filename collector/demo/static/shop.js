// The shop's own script: three comforts, none of them needed. It sends nothing by itself.
(() => {
  // The page says at once what a choice in the banner changed.
  addEventListener("collector:consent", ({ detail }) => {
    for (const element of document.querySelectorAll("[data-standing]")) {
      const [dot, text] = element.children;
      text.textContent = element.dataset[detail];
      dot.className = `dot ${detail === "granted" ? "on" : "off"}`;
    }
  });

  // The country, as the location door takes it from a browser.
  for (const form of document.querySelectorAll("form[data-place]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const country = (event.submitter?.value ?? "") || new FormData(form).get("country");
      const answer = await fetch(form.dataset.place, {
        method: country ? "PUT" : "DELETE",
        body: country ? JSON.stringify({ country }) : undefined,
      });
      if (answer.ok) location.reload();
      else form.submit();
    });
  }

  document.querySelector("form[data-submit]")?.requestSubmit();
})();
