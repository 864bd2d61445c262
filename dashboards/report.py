"""Report: a seller's week in a few lines, for the shop's own mailer to send."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from dashboards.access import NUMBERS, shelf_of
from dashboards.api import PRIVATE
from dashboards.figures import choice, figures
from dashboards.language import choose
from dashboards.look import Look
from dashboards.parameters import PageAsked, ReportAsked, asked
from dashboards.period import week_of
from dashboards.refused import bad
from dashboards.shop import Shop
from dashboards.table import ask, table

PRODUCTS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Report:
    """The one endpoint."""

    shop: Shop
    look: Look
    public_url: str

    def report(self, request: Request) -> Response:
        """GET /api/v1/report?week=2026-W07&format=html|text&lang=de"""
        grant = self.shop.access.require(request, NUMBERS)
        query = asked(ReportAsked, request)
        shelf = shelf_of(grant, query.seller)
        week = week_of(query.week)
        if week.last >= self.shop.stats.asking.today():
            raise bad("week", "is not over yet; ask from the Monday after it")
        page = PageAsked.model_validate({"from": week.first, "to": week.last})
        made = choice(self.shop.stats, page)
        rows = ask(self.shop.stats, shelf, made)
        head = figures(self.shop.stats, shelf, made)
        listed = self.shop.catalogue.products(shelf.seller, shelf.products)
        text = self.look.text(
            choose(query.lang, request.headers.get("accept-language", "")),
            "report.html" if query.format == "html" else "report.txt",
            head=head,
            table=table(self.shop.stats, listed, head, page, rows()),
            products_shown=PRODUCTS_SHOWN,
            link=f"{self.public_url}{self.look.home}/",
        ).strip()
        answered = HTMLResponse if query.format == "html" else PlainTextResponse
        return answered(text, headers={"Cache-Control": PRIVATE, "Vary": "Accept-Language"})
