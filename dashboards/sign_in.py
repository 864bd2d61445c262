"""Sign-in: a token of two minutes becomes a session; the shop's backend decides who gets one."""

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboards.access import COOKIE, Sessions
from dashboards.bodies import form, own_page_only
from dashboards.look import Look, address, spoken


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
        return self.look.page(request, "sign_in.html", token=token)

    async def enter(self, request: Request) -> Response:
        """POST /dashboard/login with the form field `token`; `?lang=` opens in a language."""
        token = (await form(request)).get("token", "")
        try:
            if not token:
                raise PermissionError("token: missing; open the dashboard from your seller area")
            _, value, max_age = await run_in_threadpool(self.sessions.redeem, token)
        except PermissionError as error:
            return self.look.signed_out(request, reason=str(error), expired=True)
        response = RedirectResponse(address(f"{self.home}/", **spoken(request)), status_code=303)
        response.headers["Set-Cookie"] = self.cookie(value, max_age)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def leave(self, request: Request) -> Response:
        """POST /dashboard/logout: the browser forgets its session."""
        own_page_only(request)
        response = RedirectResponse(address(f"{self.home}/", **spoken(request)), status_code=303)
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
