// The consent banner, for a shop that has no consent manager: accept and refuse alike, a link to
// change one's mind, and nothing kept but the choice, its date and the text's version in one
// cookie. Where the browser itself refuses (GPC, DNT) it says so instead of asking.
//
//   <script defer src="https://stats.shop.example/consent.js"
//           data-controller="Shop Ltd" data-policy="/privacy"></script>
//
// Any element with the attribute data-collector-consent opens it again; without one on the page a
// link is added at its end. collectorConsent() opens it from a script.
(() => {
  // Filled in by the server.
  const cookie = "statistics_consent";
  const domain = "";
  const version = "1";
  const honour = { gpc: true, dnt: true };
  const known = { controller: "", policy: "" };
  const texts = {};

  const script = document.currentScript || document.querySelector("script[data-controller]");
  const base = new URL(".", script.src).href;
  const { controller, policy } = { ...known, ...script.dataset };

  const language = () => {
    const wanted = (script.dataset.lang || document.documentElement.lang || "en").slice(0, 2);
    return texts[wanted] ? wanted : "en";
  };

  // The choice as the page can see it: null when nobody chose, or chose about another text.
  const chosen = () => {
    const values = ("; " + document.cookie).split("; " + cookie + "=").slice(1);
    const words = values.map((value) => value.split(";")[0].split("."));
    const says = (choice) => (word) =>
      word[0] === choice && (word.length === 1 || (word.length === 3 && word[2] === version));
    if (!words.length) return null;
    return ["granted", "refused"].find((choice) => words.every(says(choice))) || null;
  };

  const signalled = () =>
    (honour.gpc && navigator.globalPrivacyControl) || (honour.dnt && navigator.doNotTrack === "1");

  // The server sets the cookie, because browsers keep such a cookie for the whole year. Where it
  // is set on a site that this page can't see, the page keeps the choice for itself as well.
  const remember = (choice) => {
    if (chosen() === choice) return;
    const date = new Date().toISOString().slice(0, 10);
    const shared = domain && ("." + location.hostname).endsWith("." + domain);
    document.cookie =
      `${cookie}=${choice}.${date}.${version}; path=/; max-age=31536000; samesite=lax` +
      (location.protocol === "https:" ? "; secure" : "") +
      (shared ? `; domain=${domain}` : "");
  };

  const tell = async (choice) => {
    const answer = await fetch(base + "consent", {
      method: "POST",
      body: JSON.stringify({ choice }),
      headers: { Accept: "application/json" },
      credentials: "include",
      keepalive: true,
    });
    if (!answer.ok) throw new Error(`consent: ${answer.status}`);
  };

  const STYLE = `
    :host { all: initial; color-scheme: light dark; }
    section {
      position: fixed; inset: auto 0 0 0; z-index: 2147483647; box-sizing: border-box;
      max-height: 90vh; overflow: auto; padding: 1rem max(1rem, calc(50vw - 24rem));
      font: 1rem/1.5 system-ui, sans-serif; color: #1b1f24; background: #ffffff;
      border-top: 1px solid #6b7480;
    }
    h2 { font-size: 1.125rem; margin: 0 0 .25rem; }
    p { margin: 0 0 .75rem; }
    div { display: flex; flex-wrap: wrap; gap: .75rem; }
    button {
      flex: 1 1 10rem; min-height: 2.75rem; padding: .5rem 1rem; font: inherit; font-weight: 600;
      color: #ffffff; background: #1f4f82; border: 2px solid #1f4f82; border-radius: .375rem;
      cursor: pointer;
    }
    a { color: #1f4f82; }
    :focus-visible { outline: 3px solid #b35900; outline-offset: 2px; }
    @media (prefers-color-scheme: dark) {
      section { color: #eef1f4; background: #16191d; border-color: #8a94a0; }
      button { color: #10151b; background: #9cc7f5; border-color: #9cc7f5; }
      a { color: #9cc7f5; }
      :focus-visible { outline-color: #ffb366; }
    }
  `;

  const element = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };

  let host;
  let opener; // what the visitor used to open the settings, to give the focus back

  const close = () => {
    host?.remove();
    host = null;
    opener?.focus();
    opener = null;
  };

  // One region at the page's beginning, so that it is the first that keyboard and reader meet.
  // A shadow root keeps the shop's style and ours apart; its style sheet needs no CSP exception.
  const open = (message, buttons, said = false) => {
    host?.remove();
    document.getElementById("collector-consent")?.remove();
    const text = texts[language()];
    host = element("div", "", { id: "collector-consent", lang: language() });
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const region = element("section", "", { role: "dialog", "aria-labelledby": "title" });
    region.append(element("h2", text.title, { id: "title", tabindex: "-1" }));
    const paragraph = element("p", said ? "" : message, { id: "message", role: "status" });
    region.append(paragraph);
    if (policy) {
      const line = element("p", "");
      line.append(element("a", text.policy, { href: policy }));
      region.append(line);
    }
    const row = element("div", "");
    for (const [label, name, action] of buttons) {
      const button = element("button", label, { type: "button", name });
      button.addEventListener("click", action);
      row.append(button);
    }
    region.append(row);
    region.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && (chosen() || signalled())) close();
    });
    root.append(region);
    document.body.prepend(host);
    if (opener || said) root.querySelector(said ? "button" : "h2").focus();
    // Filled after it stands in the page: only a change of a live region is read out.
    if (said) setTimeout(() => (paragraph.textContent = message));
  };

  const choose = async (choice) => {
    const text = texts[language()];
    const done = [[text.close, "close", close]];
    const here = base.startsWith(location.origin + "/");
    try {
      await tell(choice);
    } catch {
      // A page of the beacon's own origin can give its consent by the cookie alone; a refusal
      // must reach the server, because it removes what was counted.
      if (choice === "refused" || !here) return ask(text.failed);
    }
    remember(choice);
    dispatchEvent(new CustomEvent("collector:consent", { detail: choice }));
    if (choice === "refused") open(`${text.refused} ${text.removed}`, done, true);
    else close();
  };

  const ask = (failed = "") => {
    const text = texts[language()];
    const refuse = [text.refuse, "refuse", () => choose("refused")];
    const accept = [text.accept, "accept", () => choose("granted")];
    if (signalled()) {
      const keep = chosen() === "granted" ? refuse : [text.close, "close", acknowledge];
      return open(`${failed} ${text.off}`.trim(), [keep]);
    }
    const question = text.question.replaceAll("{controller}", controller || location.hostname);
    const now = { granted: text.granted, refused: text.refused }[chosen()] || "";
    open([failed, now, question].filter(Boolean).join(" "), [refuse, accept], Boolean(failed));
  };

  // The browser has refused already; kept like a click, so that the notice comes once.
  const acknowledge = () => {
    remember("refused");
    close();
  };

  const openSettings = (event) => {
    event?.preventDefault();
    opener = event?.currentTarget || document.activeElement;
    ask();
  };

  const start = () => {
    const links = document.querySelectorAll("[data-collector-consent]");
    for (const link of links) {
      link.removeEventListener("click", openSettings);
      link.addEventListener("click", openSettings);
    }
    if (!links.length) {
      const line = element("p", "", { class: "collector-consent-settings" });
      const link = element("a", texts[language()].settings, {
        href: `${base}consent?lang=${language()}`,
        "data-collector-consent": "",
      });
      link.addEventListener("click", openSettings);
      line.append(link);
      document.body.append(line);
    }
    if (!chosen()) ask();
  };

  if (window.collectorConsent) return;
  window.collectorConsent = () => openSettings();
  // Turbo brings a new body; its preview is about to be replaced.
  document.addEventListener("turbo:load", () => {
    if (!host?.isConnected) start();
  });
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})();
