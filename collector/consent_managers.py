"""Consent managers: what each one's cookie says about one category, value by value.

Every reader is strict: a value that does not look exactly as its manager writes it is damaged,
and damaged is no consent. Pure: text in, a Choice out. `consent_cookies` finds the values.
"""

import json
import re
from collections.abc import Iterable
from enum import Enum, StrEnum
from urllib.parse import unquote


class Choice(Enum):
    """What a visitor said; NONE is undecided, damaged or contradicting itself."""

    GRANTED = "granted"
    REFUSED = "refused"
    NONE = "none"


class Format(StrEnum):
    """The consent managers whose cookies we can read, by their names in CONSENT_FORMAT."""

    OWN = "own"
    COOKIEBOT = "cookiebot"
    ONETRUST = "onetrust"
    COOKIEYES = "cookieyes"
    COOKIECONSENT = "cookieconsent"
    KLARO = "klaro"
    COMPLIANZ = "complianz"
    WP_CONSENT_API = "wp-consent-api"
    PLAIN = "plain"


# Cookie and category where the operator names none. {category} in a cookie's name is filled in.
# `cmplz_rt_` is what Complianz writes when one banner serves a whole domain.
COOKIES: dict[Format, tuple[str, ...]] = {
    Format.OWN: ("statistics_consent",),
    Format.COOKIEBOT: ("CookieConsent",),
    Format.ONETRUST: ("OptanonConsent",),
    Format.COOKIEYES: ("cookieyes-consent",),
    Format.COOKIECONSENT: ("cc_cookie",),
    Format.KLARO: ("klaro",),
    Format.COMPLIANZ: ("cmplz_{category}", "cmplz_rt_{category}"),
    Format.WP_CONSENT_API: ("wp_consent_{category}",),
    Format.PLAIN: (),
}
CATEGORIES: dict[Format, str] = {
    Format.OWN: "",
    Format.COOKIEBOT: "statistics",
    Format.ONETRUST: "C0002",
    Format.COOKIEYES: "analytics",
    Format.COOKIECONSENT: "analytics",
    Format.KLARO: "collector",
    Format.COMPLIANZ: "statistics",
    Format.WP_CONSENT_API: "statistics-anonymous",
    Format.PLAIN: "",
}
REFUSING_WORDS = frozenset(
    ("0", "false", "no", "off", "deny", "denied", "decline", "declined", "refused", "rejected")
)
# The version of the text that a consent given to our own banner is about; a new one asks again.
OWN_TEXT_VERSION = "1"
_OWN = re.compile(
    r"(?:granted|refused)(?:\.\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\.(\d{1,4}))?",
    re.ASCII,
)
_OWN_PLAIN = {"granted": Choice.GRANTED, "refused": Choice.REFUSED}
_COOKIEBOT_PAIR = re.compile(
    r"([A-Za-z0-9_]{1,64}):('[^']*'|true|false|-?\d{1,20})(?:,(?=.)|\Z)", re.ASCII
)
_ONETRUST_COUNT = re.compile(r"[1-9]\d{0,8}", re.ASCII)
_ONETRUST_GROUP = re.compile(r"[^:,]{1,64}:[01]")


def together(choices: Iterable[Choice]) -> Choice:
    """Make one choice of several: any refusal refuses, and only unanimity grants."""
    seen = set(choices)
    if Choice.REFUSED in seen:
        return Choice.REFUSED
    return Choice.GRANTED if seen == {Choice.GRANTED} else Choice.NONE


def read_own(value: str) -> Choice:
    """Read our own cookie: `granted` or `refused`, or with `.DATE.VERSION` behind it.

    Who said yes to another version of the text has not said yes to this one; a no stays a no.
    """
    known = _OWN_PLAIN.get(value)  # nearly always, and this is every beacon's path
    if known is not None:
        return known
    match = _OWN.fullmatch(value)
    if match is None:
        return Choice.NONE
    if value[0] == "r":
        return Choice.REFUSED
    return Choice.GRANTED if match[1] in (None, OWN_TEXT_VERSION) else Choice.NONE


def _chosen(granted: bool) -> Choice:
    return Choice.GRANTED if granted else Choice.REFUSED


def read_allow_or_deny(value: str) -> Choice:
    """Complianz and the WP Consent API: a cookie per category, `allow` or `deny`."""
    return {"allow": Choice.GRANTED, "deny": Choice.REFUSED}.get(value, Choice.NONE)


def read_cookiebot(value: str, category: str) -> Choice:
    """Cookiebot: `{stamp:'…',necessary:true,…,method:'explicit',…}`, quotes and commas encoded.

    `method:'implied'` and the stamp -1 mean that the region is not asked: nobody consented.
    Older cookies have no method; theirs is a choice when a real stamp (its receipt) is there.
    """
    text = unquote(value, errors="strict")
    if text == "0":  # what older installations write for "declined"
        return Choice.REFUSED
    if not (text.startswith("{") and text.endswith("}")):
        return Choice.NONE
    pairs: dict[str, str] = {}
    body, at = text[1:-1], 0
    while at < len(body):
        pair = _COOKIEBOT_PAIR.match(body, at)
        if pair is None or pair[1] in pairs:
            return Choice.NONE
        pairs[pair[1]] = pair[2]
        at = pair.end()
    if pairs.get("method", "'explicit'") != "'explicit'":
        return Choice.NONE
    if pairs.get("stamp", "").strip("'") in ("", "-1", "0"):
        return Choice.NONE
    return {"true": Choice.GRANTED, "false": Choice.REFUSED}.get(
        pairs.get(category, ""), Choice.NONE
    )


def read_onetrust(value: str, category: str) -> Choice:
    """OneTrust: `…&interactionCount=1&landingPath=NotLandingPage&groups=C0001%3A1%2CC0002%3A0…`.

    The cookie is there before the visitor did anything, with the region's defaults in `groups`:
    no interaction yet, a landing page still noted, or consent awaited again is no choice.
    """
    fields: dict[str, str] = {}
    for part in value.split("&"):
        name, equals, text = part.partition("=")
        if not equals or name in fields:
            return Choice.NONE
        fields[name] = unquote(text, errors="strict")
    if (
        not _ONETRUST_COUNT.fullmatch(fields.get("interactionCount", "1"))
        or fields.get("landingPath", "NotLandingPage") != "NotLandingPage"
        or fields.get("AwaitingReconsent", "false") != "false"
    ):
        return Choice.NONE
    groups: dict[str, str] = {}
    for group in fields.get("groups", "").split(","):
        if not _ONETRUST_GROUP.fullmatch(group):
            return Choice.NONE
        name, _, on = group.partition(":")
        if groups.setdefault(name, on) != on:
            return Choice.NONE
    return _chosen(groups[category] == "1") if category in groups else Choice.NONE


def read_cookieyes(value: str, category: str) -> Choice:
    """CookieYes: `consentid:…,consent:yes,action:yes,necessary:yes,…,analytics:yes,…`.

    Without `action:yes` nobody clicked anything. `consent:no` beside a granted category is what
    an opt-out law's banner writes when it is closed: nobody said yes there either.
    """
    fields: dict[str, str] = {}
    for part in unquote(value, errors="strict").split(","):
        name, colon, text = part.partition(":")
        if not colon or name in fields:
            return Choice.NONE
        fields[name] = text
    if fields.get("action") != "yes":
        return Choice.NONE
    answer = fields.get(category)
    if answer == "no":
        return Choice.REFUSED
    if answer == "yes" and fields.get("consent", "yes") == "yes":
        return Choice.GRANTED
    return Choice.NONE


def read_cookieconsent(value: str, category: str) -> Choice:
    """orestbida's cookieconsent: JSON, raw in version 2 and percent-encoded in version 3.

    The accepted categories stand in `categories`, in early versions in `level`; a refusal is a
    list without ours. The cookie is written by a click, so there is no undecided one.
    """
    document = _json_object(value)
    lists = [document[key] for key in ("categories", "level") if key in document]
    choices: list[Choice] = []
    for names in lists:
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return Choice.NONE
        choices.append(_chosen(category in names))
    return together(choices)


def read_klaro(value: str, category: str) -> Choice:
    """Klaro: percent-encoded JSON, a boolean per service; the category is our service's name."""
    answer = _json_object(value).get(category)
    return _chosen(answer) if isinstance(answer, bool) else Choice.NONE


def _json_object(value: str) -> dict[str, object]:
    text = value if value.startswith("{") else unquote(value, errors="strict")
    document = json.loads(text, object_pairs_hook=_without_doubles)
    return document if isinstance(document, dict) else {}


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):  # two answers to one question are none
        raise ValueError("a key stands twice")
    return document


def read_plain(value: str, category: str) -> Choice:
    """A cookie of the shop's own: the category is the granting value, or `GRANTING|REFUSING`.

    Without a refusing value the usual words refuse; anything else is undecided. Cookie and
    category may be percent-encoded or not, each as its author writes it.
    """
    said = unquote(value, errors="strict")
    granting, bar, refusing = unquoted_plain(category)
    if said == granting:
        return Choice.GRANTED
    refuses = said == refusing if bar else said.lower() in REFUSING_WORDS
    return Choice.REFUSED if refuses else Choice.NONE


def unquoted_plain(category: str) -> tuple[str, str, str]:
    """Return granting value, bar and refusing value of a plain cookie's category."""
    granting, bar, refusing = category.partition("|")
    return unquote(granting), bar, unquote(refusing)
