"""Export: a seller's numbers as a table, one row a product and day, streamed as it is read."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping

from dashboards.answers import Deleted
from dashboards.catalogue import Listing
from dashboards.stats import DayRow

HEADER = ("date", "product", "title", "views", "visitors", "orders")
CHUNK_ROWS = 1000
# A spreadsheet takes a cell that begins like this for a formula, and runs it.
FORMULA = re.compile(" *[=+@\t\r-]")
# Where another separator is expected than was written, quotes mean nothing and a cell begins here.
CELL_IN_CELL = re.compile('([\t\r\n;,][ "]*)(?=[=+@-])')
BYTE_ORDER_MARK = "\ufeff"


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe before such a start."""
    text = CELL_IN_CELL.sub(r"\1'", text)
    return f"'{text}" if FORMULA.match(text) else text


def lines(rows: Iterable[DayRow], listed: Mapping[str, Listing], *, excel: bool) -> Iterator[str]:
    """Yield CSV (RFC 4180), a thousand rows at a time.

    excel   begins with a byte order mark and separates by semicolons, which is what Excel
            expects in most of Europe
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";" if excel else ",", lineterminator="\r\n")
    if excel:
        buffer.write(BYTE_ORDER_MARK)
    writer.writerow(HEADER)
    for number, row in enumerate(rows, 1):
        title = harmless(_title(listed, row.product) or "")
        seen = row.totals or ("", "")
        orders = "" if row.orders is None else row.orders
        writer.writerow((row.day, harmless(row.product), title, *seen, orders))
        if number % CHUNK_ROWS == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def objects(
    rows: Iterable[DayRow], listed: Mapping[str, Listing], gone: Deleted | None
) -> Iterator[str]:
    """Yield a JSON object whose `rows` are the same rows, a thousand at a time."""
    deleted = "null" if gone is None else gone.model_dump_json()
    yield f'{{"deleted":{deleted},"rows":['
    chunk: list[str] = []
    first = True
    for row in rows:
        chunk.append(json.dumps(_object(row, listed), ensure_ascii=False))
        if len(chunk) == CHUNK_ROWS:
            yield ("" if first else ",") + ",".join(chunk)
            chunk, first = [], False
    yield ("," if chunk and not first else "") + ",".join(chunk) + "]}"


def _object(row: DayRow, listed: Mapping[str, Listing]) -> dict[str, object]:
    seen = row.totals or (None, None)
    values = (row.day.isoformat(), row.product, _title(listed, row.product), *seen, row.orders)
    return dict(zip(HEADER, values, strict=True))


def _title(listed: Mapping[str, Listing], product: str) -> str | None:
    listing = listed.get(product)
    return listing.title if listing else None
