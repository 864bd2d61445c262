"""Sign-in: a token of two minutes becomes a session; the shop's backend decides who gets one."""

from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from dashboards.access import COOKIE, Sessions
from dashboards.look import Look
from dashboards.refused import Refused, bad

FORM_BYTES_MAX = 24 * 1024  # A token of a thousand product names, and some room.
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class SignIn:
    """The doors in and out.

    home     the dashboard's path, which is also the cookie's
    secure   whether browsers come over https
    framed   whether another site shows the dashboard in a frame
    """

    sessions: Sessions
    look: Look
    home: str
    secure: bool
    framed: bool

    async def ask(self, request: Request) -> Response:
        """GET /dashboard/login?token=…: one button that posts, so that a link previewer, which
        opens every link and presses no button, doesn't use the token up."""
        token = request.query_params.get("token", "")
        return self.look.page(request, "sign_in.html", token=token, never_kept=True)

    async def enter(self, request: Request) -> Response:
        """POST /dashboard/login with the form field `token`."""
        token = (await form(request)).get("token", "")
        try:
            if not token:
                raise PermissionError("token: missing; open the dashboard from your seller area")
            _, value, max_age = await run_in_threadpool(self.sessions.redeem, token)
        except PermissionError as error:
            return self.look.signed_out(request, reason=str(error), expired=True)
        response = RedirectResponse(f"{self.home}/", status_code=303)
        response.headers["Set-Cookie"] = self.cookie(value, max_age)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def leave(self, request: Request) -> Response:
        """POST /dashboard/logout: the browser forgets its session."""
        own_page_only(request)
        response = RedirectResponse(f"{self.home}/", status_code=303)
        response.headers["Set-Cookie"] = self.cookie("", 0)
        return response

    def cookie(self, value: str, max_age: int) -> str:
        """Return the Set-Cookie header.

        In another site's frame only SameSite=None reaches us; Partitioned keeps it to that site,
        and browsers take neither without Secure.
        """
        parts = [f"{COOKIE}={value}", f"Max-Age={max_age}", f"Path={self.home}", "HttpOnly"]
        if self.framed:
            parts += ["Secure", "SameSite=None", "Partitioned"]
        else:
            parts += ["Secure"] * self.secure + ["SameSite=Lax"]
        return "; ".join(parts)


def own_page_only(request: Request) -> None:
    """Refuse a form that another site's page sent in the reader's name."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused(403, "forbidden", "Origin: this form works from the dashboard only", "Origin")


async def form(request: Request) -> dict[str, str]:
    """Return a small form's fields.

    Errors  Refused (400, 413, 415) naming what is wrong with it.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
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
