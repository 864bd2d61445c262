// Comfort only: the page works without it. A readout under the pointer, and search while typing.
(() => {
  "use strict";
  document.documentElement.classList.add("scripted");

  for (const chart of document.querySelectorAll(".chart")) {
    const readout = chart.querySelector(".readout");
    for (const place of chart.querySelectorAll(".place")) {
      const title = place.querySelector("title");
      const words = title.textContent;
      title.remove(); // The readout says it at once; the browser's own tip would cover the chart.
      place.addEventListener("pointerenter", () => { readout.textContent = words; });
    }
    chart.addEventListener("pointerleave", () => { readout.textContent = ""; });
  }

  const search = document.querySelector(".search");
  const rows = document.querySelector("#rows");
  if (!search || !rows) return;
  let latest = 0;
  let waiting = 0;
  const show = async () => {
    const turn = ++latest;
    const address = `${location.pathname}?${new URLSearchParams(new FormData(search))}`;
    const answer = await fetch(address, { credentials: "same-origin" });
    if (turn !== latest) return; // An older answer must not replace a newer one.
    if (answer.status === 401) location.assign(address); // Its page says where to sign in.
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.querySelector("#rows");
    if (!found || turn !== latest) return;
    // A screen reader says how many there are, and not each of them at every letter.
    document.querySelector("#found").textContent = found.dataset.found;
    // The addresses of other ranges and languages hold the search too.
    for (const part of ["#rows", ".ranges", ".languages"]) {
      document.querySelector(part).replaceChildren(...page.querySelector(part).childNodes);
    }
    history.replaceState(null, "", address);
  };
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { show().catch(() => {}); }, 150);
  });
})();
