"""Export: a seller's numbers as a table, one row a product and day, streamed as it is read."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from dashboards.catalogue import Listing
from dashboards.totals import Totals

HEADER = ("date", "product", "title", "views", "visitors")
CHUNK_ROWS = 1000
# A spreadsheet takes a cell that begins like this for a formula, and runs it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK = "\ufeff"


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe before such a start."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def lines(
    rows: Iterable[tuple[object, str, Totals]], listed: Mapping[str, Listing], *, excel: bool
) -> Iterator[str]:
    """Yield CSV (RFC 4180), a thousand rows at a time.

    rows    day, product, totals
    excel   begins with a byte order mark and separates by semicolons, which is what Excel
            expects in most of Europe
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";" if excel else ",", lineterminator="\r\n")
    if excel:
        buffer.write(BYTE_ORDER_MARK)
    writer.writerow(HEADER)
    for number, (day, product, totals) in enumerate(rows, 1):
        listing = listed.get(product)
        title = "" if listing is None else listing.title
        writer.writerow((day, harmless(product), harmless(title), totals.views, totals.visitors))
        if number % CHUNK_ROWS == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
