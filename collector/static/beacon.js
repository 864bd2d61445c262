// The page's side of the beacon: one view per arrival at a product's page, and the seconds that
// the page was visible.
//
// It stores nothing and reads nothing but the page's address, its referrer's origin, its
// visibility and the consent cookie. Before consent it sends nothing. Whether a visit counts is
// the server's decision; what the script knows of consent only keeps it from asking in vain.
//
//   <script defer src="https://stats.shop.example/beacon.js"
//           data-seller="…" data-product="…" data-sig="…"></script>
//
// A page that changes its product without a new tag calls collectorView(seller, product, sig).
(() => {
  // Filled in by the server from CONSENT_FORMAT, CONSENT_COOKIE and CONSENT_CATEGORY.
  const names = ["statistics_consent"];
  const granted = /^granted$/;
  const refused = /^refused$/;

  const d = document;
  const w = window;
  const on = (target, event, listener) => target.addEventListener(event, listener);
  const tag = d.currentScript || d.querySelector("script[data-sig]");

  // The tag came again: Turbo evaluates it with each page, frameworks mount it anew.
  if (w.collectorView) return w.collectorView(tag);

  const base = new URL(".", tag.src).href;
  // Which product's page a path is. A tag that stays in the head while the path changes is not
  // the new page's, but it is ours again when the visitor comes back to the old path.
  const pages = {};
  let path = location.pathname;
  let referrer = d.referrer.split("/", 3).join("/");
  let page; // the product shown since the last arrival
  let due; // its view is still to be sent
  let since; // when it became visible after that
  let before; // the choice when we last looked
  let again; // sends the last view once more

  // 1 granted, -1 refused, 0 neither. Of several cookies of one name a refusal wins, and a
  // damaged one is no consent.
  const choice = () => {
    for (const name of names) {
      const values = `; ${d.cookie}`.split(`; ${name}=`).slice(1);
      if (values.length)
        return Math.min(
          ...values.map((value) => {
            value = value.split(";")[0];
            try {
              value = decodeURIComponent(value);
            } catch (_) {}
            return refused.test(value) ? -1 : granted.test(value) ? 1 : 0;
          }),
        );
    }
    return 0;
  };

  const repeat = () => {
    if (again) setTimeout(again, 5e3);
    again = 0;
  };

  const post = (where, data, once) => {
    const url = base + where;
    const body = JSON.stringify(data);
    const image = () => {
      if (once) new Image().src = base + "pixel.gif?" + new URLSearchParams(JSON.parse(body));
    };
    again = once;
    if (navigator.sendBeacon && navigator.sendBeacon(url, body)) return;
    if (w.fetch)
      fetch(url, { method: "POST", body: body, keepalive: true, credentials: "include" }).then(
        (answer) => answer.status == 503 && repeat(),
        image,
      );
    else image();
  };

  const report = () => {
    const seconds = Math.min(1800, Math.round((performance.now() - since) / 1e3));
    if (seconds && choice() > 0) post("beacon", { ...page, seconds: seconds });
    since = 0;
  };

  const look = () => {
    const now = choice();
    const visible = !d.hidden && !d.prerendering;
    if (before > 0 && now < 0) {
      // Our own banner has told the server itself.
      if (!w.collectorConsent) post("consent", { choice: "refused", withdrawn: true });
      due = page;
      since = 0;
    }
    before = now;
    if (since && !visible) report();
    if (!page || !visible || now < 1) return;
    since = since || performance.now();
    if (!due) return;
    due = 0;
    const words = location.search.match(/\butm_(source|campaign)=[^&]*/g);
    const data = {
      ...page,
      ref: referrer || undefined,
      url: words ? "?" + words.join("&") : undefined,
    };
    post("beacon", data, () => choice() > 0 && post("beacon", data));
  };

  const leave = () => {
    if (since) report();
    page = due = 0;
  };

  // Once per arrival, however often its tag turns up. Turbo's preview is not yet an arrival.
  const show = (found) => {
    if (!found || d.documentElement.hasAttribute("data-turbo-preview")) return;
    pages[location.pathname] = found;
    if (page && page.sig == found.sig) return;
    leave();
    page = due = found;
    look();
  };

  const read = ({ isConnected, dataset: { seller, product, sig } }) =>
    show(isConnected && product && sig && { seller, product, sig });

  // A product that has gone from its page took its tag along.
  const arrive = () => {
    const found = pages[location.pathname];
    if (found && d.querySelector(`[data-sig="${found.sig}"]`)) show(found);
  };

  const moved = () => {
    if (path == (path = location.pathname) || w.Turbo) return;
    leave();
    referrer = location.origin;
    arrive();
  };

  w.collectorView = (seller, product, sig) => {
    if (!product) return read(seller);
    leave();
    show({ seller, product, sig });
  };

  for (const name of ["pushState", "replaceState"]) {
    const change = history[name];
    history[name] = function () {
      change.apply(this, arguments);
      moved();
    };
  }
  on(w, "popstate", moved);
  on(d, "turbo:visit", () => {
    leave();
    referrer = location.origin;
  });
  on(d, "turbo:load", arrive);
  on(w, "pageshow", (event) => {
    if (!event.persisted) return;
    const found = page;
    leave();
    show(found);
  });
  on(d, "visibilitychange", look);
  on(d, "prerenderingchange", look);
  new MutationObserver((changes) => changes.forEach(({ target }) => read(target))).observe(d, {
    attributeFilter: ["data-sig"],
    subtree: true,
  });
  on(w, "collector:consent", look);
  // The store may tell of a change before document.cookie shows it, so that is looked at as well.
  if (w.cookieStore) on(cookieStore, "change", look);
  setInterval(look, 1e3);
  read(tag);
  // sendBeacon tells no status; the browser's own timing does where the origin is ours. Last,
  // because a browser without it has nothing to lose behind this line.
  new PerformanceObserver((list) => {
    for (const entry of list.getEntriesByName(base + "beacon"))
      entry.responseStatus == 503 ? repeat() : (again = 0);
  }).observe({ type: "resource" });
})();
