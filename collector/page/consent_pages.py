"""The pages without JavaScript: `GET /consent` and `GET /own`, and the cookies behind them.

Pure: a page is made of the visitor's choice and language and handed back as bytes; nothing here
knows who asked. The texts are those of the banner.
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date
from html import escape
from urllib.parse import parse_qs

from collector.consent_managers import OWN_TEXT_VERSION, Choice
from collector.page.scripts import Look, texts_of

ANSWER_BYTES_MAX = 4096
YEAR_SECONDS = 365 * 24 * 60 * 60
DEFAULT_LANGUAGE = "en"

_STYLE = """
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;
color:#1b1f24;background:#fff}
form{display:flex;flex-wrap:wrap;gap:.75rem}
button{flex:1 1 10rem;min-height:2.75rem;padding:.5rem 1rem;font:inherit;font-weight:600;
color:#fff;background:#1f4f82;border:2px solid #1f4f82;border-radius:.375rem;cursor:pointer}
a{color:#1f4f82}
:focus-visible{outline:3px solid #b35900;outline-offset:2px}
@media(prefers-color-scheme:dark){body{color:#eef1f4;background:#16191d}
button{color:#10151b;background:#9cc7f5;border-color:#9cc7f5}a{color:#9cc7f5}
:focus-visible{outline-color:#ffb366}}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# The referrer stays on for our own origin: under `no-referrer` a browser posts a form with
# `Origin: null`, and nobody could answer.
PAGE_HEADERS: tuple[tuple[str, str], ...] = (
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
    ),
)


class BadAnswer(ValueError):
    """A posted choice that can't be read; the text names the field and what would do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a visitor, or a script for a consent manager, posted.

    withdrawn  the consent manager has already changed its cookie
    is_form    a page's button was pressed, so a page comes back
    """

    choice: Choice
    withdrawn: bool = False
    is_form: bool = False
    language: str = DEFAULT_LANGUAGE


def read_answer(content_type: str, body: bytes) -> Answer:
    """Return the posted choice, from JSON (also as text/plain) or from a form.

    Errors  BadAnswer with one sentence that names the field.
    """
    if len(body) > ANSWER_BYTES_MAX:
        raise BadAnswer(f"body: at most {ANSWER_BYTES_MAX} bytes allowed")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        fields = read_form(body)
        choice = _choice(fields.get("choice"))
        return Answer(choice, is_form=True, language=language(fields.get("lang", ""), ""))
    if kind not in ("", "text/plain", "application/json"):
        raise BadAnswer("Content-Type: must be application/json, text/plain or a form's")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise BadAnswer("body: not JSON") from None
    if not isinstance(document, dict) or not document.keys() <= {"choice", "withdrawn"}:
        raise BadAnswer("body: must be an object with choice and, if need be, withdrawn")
    withdrawn = document.get("withdrawn", False)
    choice = _choice(document.get("choice"))
    if not isinstance(withdrawn, bool) or (withdrawn and choice is not Choice.REFUSED):
        raise BadAnswer("withdrawn: must be true or false, and true only with a refusal")
    return Answer(choice, withdrawn)


def read_form(body: bytes) -> dict[str, str]:
    """Return a small form's fields, the first value of each.

    Errors  BadAnswer when it isn't a form.
    """
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=10, errors="strict")
    except ValueError:
        raise BadAnswer("body: not a form") from None
    return {name: values[0] for name, values in fields.items()}


def language(asked: str, accepted: str) -> str:
    """Return which of our languages to use: the one asked for, else the browser's, else English.

    accepted  an Accept-Language header; its order is taken as it stands
    """
    for tag in [asked, *accepted.split(",")[:20]]:
        short = re.split(r"[-;_]", tag.strip().lower())[0]
        if short in texts_of():
            return short
    return DEFAULT_LANGUAGE


def own_consent_value(choice: Choice, day: date) -> str:
    """Return our own consent cookie's value: the choice, its date, the text's version."""
    return f"{choice.value}.{day.isoformat()}.{OWN_TEXT_VERSION}"


def cookie_header(
    name: str,
    value: str,
    *,
    secure: bool,
    domain: str = "",
    path: str = "/",
    cross_site: bool = False,
) -> str:
    """Return a Set-Cookie header's value that keeps a cookie for a year; none at all if empty.

    cross_site  the page that asks is on another site: the cookie is then kept for that site
                alone, which browsers allow where they block third-party cookies otherwise
    Source      RFC 6265; "Cookies Having Independent Partitioned State" (CHIPS).
    """
    parts = [f"{name}={value}", f"Path={path}", f"Max-Age={YEAR_SECONDS if value else 0}"]
    if domain:
        parts.append(f"Domain={domain.lstrip('.')}")
    if secure:
        parts.append("Secure")
    parts += ["SameSite=None", "Partitioned"] if cross_site and secure else ["SameSite=Lax"]
    return "; ".join(parts)


def consent_page(
    *,
    lang: str,
    choice: Choice,
    signalled: bool,
    said: Choice,
    action: str,
    look: Look,
    own_consent: bool = True,
) -> bytes:
    """Return the page that asks for consent, as HTML.

    choice     what the visitor's cookie says
    signalled  the browser itself refuses (GPC or DNT) and that is honoured
    said       what the visitor has just answered here, else NONE
    action     the path that the form posts to
    own_consent  False where a consent manager asks: the page then only tells
    """
    text = texts_of()[lang]
    refuse, accept = ("refused", text["refuse"]), ("granted", text["accept"])
    says: list[str] = []
    buttons: list[tuple[str, str]] = []
    if said is Choice.REFUSED:
        says += [f"{text['refused']} {text['removed']}"]
    elif choice is not Choice.NONE:
        says += [text[choice.value]]
    if signalled:
        says += [text["off"]]
        buttons = [refuse] if choice is Choice.GRANTED else []
    else:
        buttons = [refuse, accept]
    if not own_consent:
        buttons = []
    question = text["question"].replace("{controller}", look.controller or "…")
    body = _status(says) + f"<p>{escape(question)}</p>"
    return _page(
        lang, text["title"], body + _form(action, lang, "choice", buttons) + _policy(look, lang)
    )


def own_page(*, lang: str, left_out: bool, action: str, look: Look) -> bytes:
    """Return the page that leaves this browser out of the numbers, as HTML."""
    text = texts_of()[lang]
    buttons = [("no", text["own_in"])] if left_out else [("yes", text["own_out"])]
    body = _status([text["own_is_out" if left_out else "own_is_in"]])
    body += f"<p>{escape(text['own_text'])}</p>"
    return _page(
        lang, text["own_title"], body + _form(action, lang, "own", buttons) + _policy(look, lang)
    )


def _choice(value: object) -> Choice:
    if value not in ("granted", "refused"):
        raise BadAnswer('choice: must be "granted" or "refused"')
    return Choice(value)


def _status(sentences: list[str]) -> str:
    return (
        f'<p role="status"><strong>{escape(" ".join(sentences))}</strong></p>' if sentences else ""
    )


def _form(action: str, lang: str, name: str, buttons: list[tuple[str, str]]) -> str:
    if not buttons:
        return ""
    made = "".join(
        f'<button name="{name}" value="{value}">{escape(label)}</button>'
        for value, label in buttons
    )
    hidden = f'<input type="hidden" name="lang" value="{lang}">'
    return f'<form method="post" action="{escape(action)}">{hidden}{made}</form>'


def _policy(look: Look, lang: str) -> str:
    if not look.policy_url:
        return ""
    label = escape(texts_of()[lang]["policy"])
    return f'<p><a href="{escape(look.policy_url)}">{label}</a></p>'


def _page(lang: str, title: str, body: str) -> bytes:
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    ).encode()
