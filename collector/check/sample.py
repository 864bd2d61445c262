"""The test beacon of `collector check`: sent as the page's script would, answered but not counted.

It says that it comes from the seller's own browser, so it goes the whole way of the checks.
"""

import json

from collector.check.case import Case, Finding
from collector.check.fetching import Fetched, Unreachable
from collector.consent import OWN_COOKIE, Outcome
from collector.consent_cookies import cookie_names
from collector.consent_managers import CATEGORIES, Format

# A cookie of each consent manager that says yes, for the test beacon.
GRANTED: dict[Format, str] = {
    Format.OWN: "granted",
    Format.COOKIEBOT: "{{stamp:%27check%27%2C{category}:true%2Cmethod:%27explicit%27}}",
    Format.ONETRUST: "interactionCount=1&groups={category}%3A1",
    Format.COOKIEYES: "consent:yes,action:yes,{category}:yes",
    Format.COOKIECONSENT: '{{"categories":["{category}"]}}',
    Format.KLARO: '{{"{category}":true}}',
    Format.COMPLIANZ: "allow",
    Format.WP_CONSENT_API: "allow",
    Format.PLAIN: "{granting}",
}
WHY_NOT = {
    Outcome.NO_CONSENT: "the consent cookie did not arrive: the proxy in front must pass Cookie "
    "on, and the running server must have the same COLLECTOR_CONSENT_ settings",
    Outcome.REFUSED: "the consent cookie arrived changed: look at what the proxy does to Cookie",
    Outcome.GPC: "something in front adds Sec-GPC: 1 to requests; it must not",
    Outcome.DNT: "something in front adds DNT: 1 to requests; it must not",
    Outcome.BAD_SIGNATURE: "the running server has another secret than this command: run it with "
    "the same COLLECTOR_ settings",
    Outcome.MALFORMED: "the beacon arrived damaged: the proxy must pass the body on as it is",
    Outcome.PREFETCH: "something in front marks requests as prefetched; it must not",
    Outcome.BOT: "the browser's name did not arrive: the proxy must pass User-Agent on",
    Outcome.UNAVAILABLE: "the server can't keep anything now; `collector status` says why",
}


def look_at_cors(case: Case) -> Finding:
    if case.origin == case.base_origin:
        return Finding("CORS", True, "not needed: one origin")
    says = f"add {case.origin} to COLLECTOR_ORIGINS"
    answer = _test_beacon(case)
    if answer is None:
        return Finding("CORS", False, "the beacon can't be reached")
    if (
        answer.header("access-control-allow-origin") == case.origin
        and answer.header("access-control-allow-credentials") == "true"
    ):
        return Finding("CORS", True, f"{case.origin} may send its cookies")
    return Finding("CORS", False, says)


def look_at_beacon(case: Case) -> Finding:
    answer = _test_beacon(case)
    if answer is None:
        return Finding("test beacon", False, "no answer; see the lines above")
    counted = answer.header("x-counted")
    if counted == Outcome.OWN:
        return Finding("test beacon", True, "went all the way (as an own visit: not counted)")
    if counted in list(Outcome):
        why = WHY_NOT.get(Outcome(counted), "see docs/http.md")
        return Finding("test beacon", False, f"X-Counted: {counted}; {why}")
    says = (
        f"answered {answer.status} without X-Counted, so by something else than the collector; "
        f"let the proxy pass {case.snippet.base}/ on"
    )
    return Finding("test beacon", False, says)


def consent_header(format: str, cookie: str, category: str) -> str:
    """Return a Cookie header that says yes, as the consent manager would write it."""
    kind = Format(format)
    named = category or CATEGORIES[kind]
    value = GRANTED[kind].format(category=named, granting=named.partition("|")[0])
    return f"{cookie_names(format, cookie, category)[0]}={value}"


def _test_beacon(case: Case) -> Fetched | None:
    snippet, expected = case.snippet, case.expected
    granted = consent_header(
        expected.consent_format, expected.consent_cookie, expected.consent_category
    )
    headers = {
        "Cookie": f"{granted}; {OWN_COOKIE}=1",
        "Origin": case.origin,
        "Content-Type": "text/plain;charset=UTF-8",
    }
    fields = {
        "seller": snippet.seller,
        "product": snippet.product,
        "sig": snippet.signature,
    }
    try:
        return case.fetch("POST", f"{snippet.base}/beacon", headers, json.dumps(fields).encode())
    except Unreachable:
        return None
