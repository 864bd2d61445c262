"""Bodies: what comes with a request, read up to a limit and no further."""

from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from dashboards.refused import Refused, bad

FORM_BYTES_MAX = 24 * 1024  # A token of two hundred product names, and some room.
FORM = "application/x-www-form-urlencoded"


async def form(request: Request) -> dict[str, str]:
    """Return a small form's fields.

    Errors  Refused (400, 413, 415) naming what is wrong with it.
    """
    if kind(request) != FORM:
        raise Refused(415, "bad-request", f"Content-Type: must be {FORM}", "Content-Type")
    content = await body(request, FORM_BYTES_MAX)
    try:
        fields = parse_qs(content.decode(), strict_parsing=bool(content), max_num_fields=20)
    except ValueError:
        raise bad("body", "not a form; send field=value pairs in UTF-8") from None
    return {key: values[-1] for key, values in fields.items()}


async def body(request: Request, bytes_max: int) -> bytes:
    """Return the request's body.

    Errors  Refused (413) as soon as it is longer than allowed.
    """
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > bytes_max:
                raise Refused(413, "too-large", f"body: at most {bytes_max} bytes allowed", "body")
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(content)


def kind(request: Request) -> str:
    """Return the body's media type, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def own_page_only(request: Request) -> None:
    """Refuse a form that another site's page sent in the reader's name."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused(403, "forbidden", "Origin: this form works from the dashboard only", "Origin")
