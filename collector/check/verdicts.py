"""`collector check URL`: why a page counts, or why it doesn't, one line for each condition.

It fetches a product's page as a browser would and follows its snippet to the collector.
"""

import json
import time
from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from collector import keys, page_tag, secret
from collector.check import policy
from collector.check.case import Case, Expected, Finding, host_of, registrable, site_of
from collector.check.fetching import Fetch, Unreachable, fetch
from collector.check.page import read_page
from collector.check.sample import look_at_beacon, look_at_cors
from collector.consent_managers import Format
from collector.page.scripts import beacon_script
from collector.settings import Settings

CLOCK_SECONDS_MAX = 60


def expected(settings: Settings) -> Expected:
    """Return what the settings expect of a page.

    Errors  BadSettings when the secret can't be read.
    """
    secrets = [secret.load(settings)]
    if settings.secret_previous is not None:
        secrets.append(settings.secret_previous.encode())
    return Expected(
        page_tag_keys=tuple(keys.derive(each, "page-tag") for each in secrets),
        consent_format=settings.consent_format,
        consent_cookie=settings.consent_cookie,
        consent_category=settings.consent_category,
        consent_cookie_domain=settings.consent_cookie_domain,
    )


def check(
    url: str,
    wanted: Expected,
    *,
    fetch: Fetch = fetch,
    now: Callable[[], float] = time.time,
) -> list[Finding]:
    """Return what was found, in the order in which a miss should be cured."""
    try:
        answer = fetch("GET", url, {"Accept": "text/html"}, b"")
    except Unreachable as error:
        return [Finding("page", False, f"{error}; is the address right?")]
    if answer.status != 200 or "html" not in answer.header("content-type"):
        kind = answer.header("content-type") or "nothing"
        says = f"answered {answer.status} with {kind}; give the address of a product's page"
        return [Finding("page", False, says)]
    page = read_page(answer.text, answer.url)
    found = [Finding("page", True, answer.url)]
    if not page.snippets:
        says = (
            "no script with data-sig and no pixel.gif in the page; paste the line that "
            "`collector snippet SELLER PRODUCT` prints into the product's template"
        )
        return [*found, Finding("snippet", False, says)]
    snippet = page.snippets[0]
    case = Case(answer, page, snippet, wanted, fetch, now)
    for look in LOOKS:
        found.append(look(case))
    return found


def report(findings: Iterable[Finding]) -> str:
    """Return the findings as lines of text: a mark, the condition, a sentence."""
    marks = {True: "ok  ", False: "MISS", None: "?   "}
    return "\n".join(f"{marks[each.ok]}  {each.name}: {each.says}" for each in findings)


def look_at_snippet(case: Case) -> Finding:
    snippet = case.snippet
    missing = [name for name in ("seller", "product", "signature") if not getattr(snippet, name)]
    if not snippet.url:
        return Finding(
            "snippet",
            False,
            "the script has no src that a browser could fetch; `collector snippet` prints one",
        )
    if missing:
        says = f"without {', '.join(missing)}; paste the line as `collector snippet` prints it"
        return Finding("snippet", False, says)
    if any(each.in_noscript for each in case.page.snippets):
        says = (
            "the pixel stands in <noscript>, whose images Turbo loads for everybody; "
            "write it into the page only where the server has seen consent and no script"
        )
        return Finding("snippet", False, says)
    if len(case.page.snippets) > 1:
        says = f"{len(case.page.snippets)} of them; a page needs one, or a visit counts twice"
        return Finding("snippet", False, says)
    kind = "pixel" if snippet.is_pixel else "script"
    return Finding("snippet", True, f"{kind} for product {snippet.product} of {snippet.seller}")


def look_at_signature(case: Case) -> Finding:
    snippet, known = case.snippet, case.expected.page_tag_keys
    if page_tag.is_signed(snippet.seller, snippet.product, snippet.signature, known):
        return Finding("signature", True, "made with this installation's key")
    says = (
        "not made with this installation's key; sign seller and product exactly as they stand in "
        "the page, with what `collector key page-tag` prints"
    )
    return Finding("signature", False, says)


def look_at_script(case: Case) -> Finding:
    snippet = case.snippet
    if urlsplit(case.answer.url).scheme == "https" and urlsplit(snippet.url).scheme != "https":
        return Finding(
            "script", False, "http on an https page is blocked; set COLLECTOR_BEACONS_URL"
        )
    try:
        answer = case.fetch("GET", snippet.url, {"Referer": case.origin + "/"}, b"")
    except Unreachable as error:
        return Finding("script", False, f"{error}; look at COLLECTOR_BEACONS_URL and the proxy")
    wanted = "image/gif" if snippet.is_pixel else "javascript"
    if wanted not in answer.header("content-type") or answer.status not in (200, 403):
        says = f"{snippet.url.partition('?')[0]} answered {answer.status}; let the proxy pass it on"
        return Finding("script", False, says)
    if snippet.is_pixel:
        return Finding("script", True, "the pixel is answered")
    expected = case.expected
    ours = beacon_script(
        expected.consent_format, expected.consent_cookie, expected.consent_category
    )
    if answer.body != ours.plain:
        says = "served, but not as these settings make it; restart the server after a change"
        return Finding("script", None, says)
    return Finding("script", True, "served as these settings make it")


def look_at_consent(case: Case) -> Finding:
    """Would the page's consent cookie be sent to the collector's host?"""
    page, collector = host_of(case.answer.url), host_of(case.snippet.base)
    expected = case.expected
    is_own = expected.consent_format == Format.OWN
    name = "consent cookie"
    if page == collector:
        return Finding(name, True, "page and collector share a host")
    if site_of(case.answer.url) != site_of(case.snippet.base):
        if is_own:
            says = (
                "the collector is on another site: only our own banner's answer reaches it, and "
                "not in every browser; a subdomain of the shop's is better"
            )
            return Finding(name, None, says)
        says = (
            "the collector is on another site, where the consent manager's cookie never comes; "
            "put it on the shop's host (COLLECTOR_PATH_PREFIX) or on a subdomain"
        )
        return Finding(name, False, says)
    shared = registrable(page)
    if not is_own:
        says = f"make the consent manager write its cookie for {shared}, not for {page} alone"
        return Finding(name, None, says)
    domain = expected.consent_cookie_domain.lstrip(".")
    if domain and all(f".{host}".endswith(f".{domain}") for host in (page, collector)):
        return Finding(name, True, f"one cookie for {domain}")
    return Finding(name, False, f"set COLLECTOR_CONSENT_COOKIE_DOMAIN={shared}")


def look_at_policy(case: Case) -> Finding:
    snippet = case.snippet
    headers = [*case.answer.headers_named("content-security-policy"), *case.page.policies]
    every = policy.policies(headers)
    if snippet.is_pixel:
        needed = [("img-src", snippet.url)]
    else:
        needed = [("script-src", snippet.url), ("connect-src", f"{snippet.base}/beacon")]
    blocked = [
        directive
        for directive, url in needed
        if not policy.allows(every, directive, url, case.answer.url, snippet.nonce)
    ]
    name = "content security policy"
    if blocked:
        return Finding(name, False, f"add {case.base_origin} to {' and '.join(blocked)}")
    return Finding(name, True, "lets the page load and send" if every else "none")


def look_at_proxy(case: Case) -> Finding:
    """Ask for the visitor's own country, so that the server reads this request's address."""
    base = case.snippet.base
    try:
        case.fetch("GET", f"{base}/location", {"Accept": "application/json"}, b"")
        answer = case.fetch("GET", f"{base}/readyz", {"Accept": "application/json"}, b"")
        state = json.loads(answer.body)
        sentences = [str(each) for each in [*state["alarms"], *state["warnings"]]]
    except (Unreachable, ValueError, KeyError, TypeError):
        return Finding("proxy", None, "/readyz is not published; ask `collector status` instead")
    found = next((each for each in sentences if "TRUSTED_PROXIES" in each), "")
    if found:
        return Finding("proxy", False, found)
    return Finding("proxy", True, "no forwarded address comes from anyone who is not trusted")


def look_at_clock(case: Case) -> Finding:
    text = case.answer.header("date")
    try:
        away = parsedate_to_datetime(text).timestamp() - case.now()
    except (TypeError, ValueError):
        return Finding("clock", None, "the page's answer has no Date to compare with")
    if abs(away) <= CLOCK_SECONDS_MAX:
        return Finding("clock", True, "agrees with the shop's")
    says = f"{abs(away):.0f} seconds from the shop's: let NTP set both, or days end at odd times"
    return Finding("clock", False, says)


LOOKS: tuple[Callable[[Case], Finding], ...] = (
    look_at_snippet,
    look_at_signature,
    look_at_script,
    look_at_consent,
    look_at_policy,
    look_at_cors,
    look_at_proxy,
    look_at_clock,
    look_at_beacon,
)
