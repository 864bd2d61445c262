"""Share pages: where a seller makes, lists and revokes links for others."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboards.access import Grant, shelf_of
from dashboards.bodies import form, own_page_only
from dashboards.look import Look, address, spoken
from dashboards.parameters import Day, Name, read
from dashboards.period import DAY
from dashboards.refused import bad
from dashboards.shares import PER_SELLER_MAX, Shares, TooManyShares
from dashboards.shelf import Shelf
from dashboards.shop import Shop

DAYS_MAX = 366
DAYS_USUAL = 30
NUMBER_MAX = 2**63 - 1  # SQLite's


class ShareAsked(BaseModel):
    """The form that makes a link."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    until: Day
    seller: Name | None = None


class EndAsked(BaseModel):
    """The button that revokes one."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    number: Annotated[int, Field(ge=1, le=NUMBER_MAX)]
    seller: Name | None = None


@dataclass(frozen=True, slots=True)
class SharePages:
    """The page and its two forms; for those who are signed in, not for those who hold a link."""

    shop: Shop
    shares: Shares
    look: Look
    public_url: str

    def list(self, request: Request) -> Response:
        """GET /dashboard/share"""
        grant = self._grant(request)
        if grant is None:
            return self.look.signed_out(request, reason="", expired=True)
        return self._page(request, grant, shelf_of(grant, request.query_params.get("seller")))

    async def make(self, request: Request) -> Response:
        """POST /dashboard/share: the answer shows the link, this once."""
        own_page_only(request)
        return await run_in_threadpool(self._make, request, await form(request))

    async def end(self, request: Request) -> Response:
        """POST /dashboard/share/end"""
        own_page_only(request)
        return await run_in_threadpool(self._end, request, await form(request))

    def _make(self, request: Request, fields: dict[str, str]) -> Response:
        grant = self._grant(request)
        if grant is None:
            return self.look.signed_out(request, reason="", expired=True)
        asked = read(ShareAsked, fields.items())
        shelf = shelf_of(grant, asked.seller)
        today = self.shop.stats.asking.today()
        if not today <= asked.until <= today + DAYS_MAX * DAY:
            raise bad("until", f"must lie between {today} and {today + DAYS_MAX * DAY}")
        try:
            key = self.shares.make(shelf, today, asked.until)
        except TooManyShares:
            raise bad("links", f"at most {PER_SELLER_MAX}; revoke one first") from None
        link = f"{self.public_url}{self.look.home}/shared/{key}/"
        return self._page(request, grant, shelf, link, asked.until)

    def _end(self, request: Request, fields: dict[str, str]) -> Response:
        grant = self._grant(request)
        if grant is None:
            return self.look.signed_out(request, reason="", expired=True)
        asked = read(EndAsked, fields.items())
        self.shares.end(shelf_of(grant, asked.seller).seller, asked.number)
        kept = {"seller": asked.seller} if asked.seller else {}
        back = address(f"{self.look.home}/share", **spoken(request), **kept)
        return RedirectResponse(back, status_code=303)

    def _grant(self, request: Request) -> Grant | None:
        try:
            return self.shop.access.session(request)
        except PermissionError:
            return None

    def _page(
        self,
        request: Request,
        grant: Grant,
        shelf: Shelf,
        link: str | None = None,
        until: date | None = None,
    ) -> Response:
        today = self.shop.stats.asking.today()
        return self.look.page(
            request,
            "share.html",
            grant=grant,
            seller=shelf.seller if grant.seller is None else None,
            shares=self.shares.of(shelf.seller, today),
            link=link,
            until=until,
            today=today,
            usual=today + DAYS_USUAL * DAY,
            latest=today + DAYS_MAX * DAY,
        )
