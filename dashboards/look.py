"""Look: turns numbers into pages in the reader's language, under headers that let nothing in.

No inline script or style, nothing from another host, no frame but those that are allowed.
"""

import hashlib
import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from gettext import NullTranslations
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from dashboards import brand
from dashboards.change import Change
from dashboards.chart import spark
from dashboards.language import LANGUAGES, Language, choose

HERE = Path(__file__).parent
STATIC = HERE / "static"
LOGO_SUFFIXES = frozenset({".svg", ".png", ".webp", ".jpg", ".jpeg"})


@dataclass(frozen=True)
class Look:
    """How pages look and what their headers say.

    home             the dashboard's path, with PATH_PREFIX
    frame_ancestors  origins that may show pages in a frame
    seller_area_url  where sellers sign in; '' if unknown
    own_visits_url   where a browser is left out of the numbers; '' if there is no such page
    logo             a picture's file, served from here because pages fetch nothing from elsewhere
    """

    home: str
    frame_ancestors: tuple[str, ...] = ()
    seller_area_url: str = ""
    name: str = ""
    colour: str = ""
    logo: Path | None = None
    own_visits_url: str = ""

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        **values: Any,
    ) -> Response:
        """Return a page; `values` are what its template shows."""
        language = speaks(request)
        html = TEMPLATES.get_template(template).render(
            look=self,
            here=Here(self.home, request),
            language=language,
            languages=LANGUAGES,
            **values,
        )
        headers = {
            "Content-Security-Policy": self.policy,
            # Or the browser's Back button shows it to whoever comes after the seller signed out.
            "Cache-Control": "no-store",
            "Content-Language": language.code,
            "Vary": "Cookie, Accept-Language",
        }
        return HTMLResponse(html, status_code=status, headers=headers)

    def signed_out(self, request: Request, *, reason: str, expired: bool) -> Response:
        """Return the page for someone whom nobody has signed in, or not any more."""
        return self.page(request, "signed_out.html", status=401, reason=reason, expired=expired)

    def text(self, language: Language, template: str, **values: Any) -> str:
        """Return what a template says, for a letter rather than a page."""
        return TEMPLATES.get_template(template).render(look=self, language=language, **values)

    @cached_property
    def policy(self) -> str:
        """The Content-Security-Policy of every page."""
        ancestors = " ".join(self.frame_ancestors) or "'none'"
        return (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; "
            f"frame-ancestors {ancestors}"
        )

    @cached_property
    def stylesheet(self) -> str:
        """The style sheet that names the brand's colour."""
        return brand.stylesheet(self.colour)

    @cached_property
    def version(self) -> str:
        """Changes whenever a static file does, so that browsers may keep them."""
        digest = hashlib.blake2b(self.stylesheet.encode(), digest_size=6)
        for path in sorted(STATIC.iterdir()):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def brand_css(self, request: Request) -> Response:
        """GET /dashboard/brand.css"""
        return Response(self.stylesheet, media_type="text/css", headers=_LONG)

    def brand_logo(self, request: Request) -> Response:
        """GET /dashboard/logo"""
        if self.logo is None:
            return Response(status_code=404)
        kind = mimetypes.guess_type(self.logo.name)[0]
        return FileResponse(self.logo, media_type=kind, headers=_LONG)


_LONG = {"Cache-Control": "public, max-age=31536000, immutable"}


def _in_language(write: Callable[..., str]) -> Callable[..., str]:
    """Return a filter that writes in the language of the page that uses it."""

    @pass_context
    def written(context: Context, *values: Any) -> str:
        return write(context["language"], *values)

    return written


@pass_context
def _word(context: Context, text: str) -> str:
    words: NullTranslations = context["language"].words
    return words.gettext(text)


@pass_context
def _words(context: Context, one: str, many: str, n: int) -> str:
    words: NullTranslations = context["language"].words
    return words.ngettext(one, many, n)


def said(language: Language, change: Change) -> str:
    """Write a change: +3, −12 %, or an equals sign."""
    if change.direction == "same":
        return "="
    # What rounds to nothing is told by heads: "−0%" would say neither.
    if change.kind == "count" or round(100 * abs(change.share)) == 0:
        return language.signed(change.difference)
    sign = "+" if change.difference > 0 else "−"
    return sign + language.percent(abs(change.share))


def speaks(request: Request) -> Language:
    """Return the reader's language: as the address says, else as the browser does."""
    return choose(request.query_params.get("lang"), request.headers.get("accept-language", ""))


def spoken(request: Request) -> dict[str, str]:
    """Return the parameters that keep the language of an address; none where it names none."""
    lang = request.query_params.get("lang", "")
    return {"lang": lang} if lang in LANGUAGES else {}


def address(path: str, /, **query: str) -> str:
    """Return a path with a query, if there is one."""
    return f"{path}?{urlencode(query)}" if query else path


class Here:
    """Where the reader is: makes addresses that keep what was chosen and change one thing."""

    def __init__(self, home: str, request: Request) -> None:
        key = request.path_params.get("key")
        # Who came by a shared link stays below it.
        self.home = home if key is None else f"{home}/shared/{key}"
        self.shared = key is not None
        self.path = request.url.path
        self.spoken = address("", **spoken(request))
        self.chosen: Mapping[str, str] = dict(request.query_params)

    def to(self, path: str | None = None, **changes: str | int | None) -> str:
        """Return an address; None takes a parameter out. Paths begin at the dashboard."""
        target = self.path if path is None else self.home + path
        kept = {key: value for key, value in self.chosen.items() if key not in changes}
        given = {key.rstrip("_"): str(value) for key, value in changes.items() if value is not None}
        return address(target, **{k: v for k, v in kept.items() if k != "token"} | given)


def _templates() -> Environment:
    """Return the templates, compiled once for all languages."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    i18n: Any = environment
    i18n.install_gettext_callables(_word, _words, newstyle=True)
    names = ("number", "signed", "percent", "day", "short_day", "month", "span")
    environment.filters |= {name: _in_language(getattr(Language, name)) for name in names}
    environment.globals |= {"spark": spark, "said": _in_language(said)}
    return environment


TEMPLATES = _templates()


def compile_templates() -> None:
    """Read and compile every template; otherwise the first page that uses it waits for that."""
    for name in TEMPLATES.list_templates():
        TEMPLATES.get_template(name)
