"""Pages: what a seller sees in a browser. Every number is also in the API."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from dashboards.access import Grant, shelf_of
from dashboards.api import download
from dashboards.look import Look
from dashboards.market import market
from dashboards.overview import overview
from dashboards.parameters import ExportAsked, PageAsked, asked
from dashboards.product import product_page
from dashboards.refused import Refused, bad
from dashboards.shares import Shares
from dashboards.shop import Shop

Page = Callable[[Request, Grant], Response]


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages behind the sign-in."""

    shop: Shop
    look: Look
    shares: Shares

    def overview(self, request: Request) -> Response:
        """GET /dashboard/"""
        return self._signed_in(request, self._overview)

    def product(self, request: Request) -> Response:
        """GET /dashboard/product?product=P"""
        return self._signed_in(request, self._product)

    def words(self, request: Request) -> Response:
        """GET /dashboard/words: what the numbers mean"""
        return self._signed_in(request, self._words)

    def export(self, request: Request) -> Response:
        """GET /dashboard/export.csv: the API's export, for a browser's session."""
        return self._signed_in(request, self._export)

    def _overview(self, request: Request, grant: Grant) -> Response:
        query = asked(PageAsked, request)
        if grant.seller is None and query.seller is None:
            everything = market(self.shop.stats, self.shop.catalogue, query)
            return self.look.page(request, "market.html", shown=everything, grant=grant)
        shelf = shelf_of(grant, query.seller)
        shown = overview(self.shop.stats, self.shop.catalogue, shelf, query)
        return self.look.page(request, "overview.html", shown=shown, grant=grant)

    def _product(self, request: Request, grant: Grant) -> Response:
        query = asked(PageAsked, request)
        if query.product is None:
            raise bad("product", "missing; choose one from the overview")
        shelf = shelf_of(grant, query.seller)
        shown = product_page(self.shop.stats, self.shop.catalogue, shelf, query.product, query)
        return self.look.page(request, "product.html", shown=shown, grant=grant)

    def _words(self, request: Request, grant: Grant) -> Response:
        asked(PageAsked, request)
        return self.look.page(
            request,
            "words_explained.html",
            grant=grant,
            minimum=self.shop.stats.breakdown_min,
            step_minutes=self.shop.stats.asking.snapshot.step_minutes,
            keep_counts_days=self.shop.stats.asking.keep_counts_days,
        )

    def _export(self, request: Request, grant: Grant) -> Response:
        query = asked(ExportAsked, request)
        shelf = shelf_of(grant, query.seller).only(query.product)
        return download(self.shop, shelf, query.span, query.for_ == "excel")

    def _signed_in(self, request: Request, page: Page) -> Response:
        key = request.path_params.get("key")
        if key is not None:
            return self._shared(request, str(key), page)
        try:
            grant = self.shop.access.session(request)
        except PermissionError as error:
            return self.look.signed_out(request, reason=str(error), expired=True)
        if grant is None:
            return self.look.signed_out(request, reason="", expired=False)
        return page(request, grant)

    def _shared(self, request: Request, key: str, page: Page) -> Response:
        shelf = self.shares.shelf(key, self.shop.stats.asking.today())
        if shelf is None:
            return self.look.page(request, "link_ended.html", status=404)
        return page(request, Shown(shelf.seller, shelf.products))


@dataclass(frozen=True, slots=True)
class Shown:
    """What a shared link allows: a seller's pages, nothing else."""

    seller: str
    products: frozenset[str] | None
    scope: str = "share"
    expires_at: int = 0


def refusal(look: Look, request: Request, error: Refused) -> Response:
    """Return the page that says why there are no numbers."""
    return look.page(request, "refused.html", status=error.status, error=error)
