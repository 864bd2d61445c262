"""Look: the shop's pages, in headers that let nothing in from elsewhere."""

import hashlib
import mimetypes
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from collector.consent import Outcome
from collector.demo.goods import MARKET, SELLERS

HERE = Path(__file__).parent
STATIC = HERE / "static"
LONG = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}

# What a page tells its visitor about itself, by what the pixel on it would answer.
TOLD = {
    Outcome.YES: "You said yes, so each product page that you open is counted.",
    Outcome.NO_CONSENT: "You have not chosen yet, so nothing is counted.",
    Outcome.REFUSED: "You said no, so nothing is counted.",
    Outcome.GPC: "Your browser asks not to be tracked (GPC), so nothing is counted.",
    Outcome.DNT: "Your browser asks not to be tracked (DNT), so nothing is counted.",
    Outcome.OWN: "You left this browser out, so it is not counted.",
    Outcome.BOT: "Your browser calls itself a robot, so it is not counted.",
}


@dataclass(frozen=True)
class Look:
    """How pages look.

    prefix     PATH_PREFIX
    dashboard  the sellers' door, as a browser reaches it
    """

    prefix: str
    dashboard: str
    _environment: Environment = field(
        default_factory=lambda: Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        ),
        repr=False,
    )

    @property
    def home(self) -> str:
        """The shop's path."""
        return f"{self.prefix}/demo"

    def page(
        self, request: Request, template: str, outcome: Outcome, *, status: int = 200, **values: Any
    ) -> Response:
        """Return a page; `outcome` is what a pixel on it would answer."""
        html = self._environment.get_template(template).render(
            home=self.home,
            prefix=self.prefix,
            dashboard=self.dashboard,
            version=self.version,
            market=MARKET,
            sellers=SELLERS,
            told=TOLD,
            outcome=outcome,
            here=request.url.path.removeprefix(self.home),
            **values,
        )
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": self.policy,
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
        return HTMLResponse(html, status, headers)

    @cached_property
    def policy(self) -> str:
        """Every page's Content-Security-Policy: this origin, and forms to the sellers' door."""
        parts = urlsplit(self.dashboard)
        return (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            f"connect-src 'self'; form-action 'self' {parts.scheme}://{parts.netloc}; "
            "base-uri 'none'; frame-ancestors 'none'"
        )

    @cached_property
    def version(self) -> str:
        """Changes whenever a static file does, so that browsers may keep them."""
        digest = hashlib.blake2b(digest_size=6)
        for path in sorted(STATIC.rglob("*.*")):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def static(self, request: Request) -> Response:
        """GET /demo/static/…"""
        path = STATIC / request.path_params["file"]
        if not path.is_file() or STATIC not in path.resolve().parents:
            return Response(status_code=404)
        return FileResponse(path, media_type=mimetypes.guess_type(path.name)[0], headers=LONG)


def markup(html: str) -> Markup:
    """Say that a snippet is HTML; it has escaped what it was given."""
    return Markup(html)  # noqa: S704  # made by page.snippet, which escapes
