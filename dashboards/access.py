"""Access: who asks, and so whose numbers. The token or the session decides, nothing else does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from dashboards.refused import Refused, bad
from dashboards.shelf import Shelf

COOKIE = "collector_session"
NAME_CHARACTERS_MAX = 128
NUMBERS = frozenset({"stats", "operator"})
OPERATOR = frozenset({"operator"})


class Grant(Protocol):
    """What a token or a session allows; seller is None for the marketplace's own people."""

    @property
    def scope(self) -> str: ...
    @property
    def seller(self) -> str | None: ...
    @property
    def products(self) -> frozenset[str] | None: ...
    @property
    def expires_at(self) -> int: ...


Authorise = Callable[[frozenset[str], str | None], Grant]


class Sessions(Protocol):
    """Sign-in, given by the composition root. Both raise PermissionError with a sentence."""

    def redeem(self, login_token: str) -> tuple[Grant, str, int]:
        """Use up a login token: the grant, the session cookie's value, its life in seconds."""

    def session(self, cookie: str) -> Grant:
        """Return what the session cookie's value allows."""


@dataclass(frozen=True, slots=True)
class Access:
    """Answers "whose numbers?" for the API and for pages."""

    authorise: Authorise
    sessions: Sessions

    def require(self, request: Request, scopes: frozenset[str]) -> Grant:
        """Return the Bearer token's grant.

        Errors  Refused (401) with the reason.
        """
        try:
            return self.authorise(scopes, request.headers.get("authorization"))
        except PermissionError as error:
            raise Refused(401, "unauthorised", str(error), "Authorization") from None

    def session(self, request: Request) -> Grant | None:
        """Return the signed-in browser's grant, or None where nobody is signed in.

        Errors  PermissionError when there is a session that can't be used any more.
        """
        refusal: PermissionError | None = None
        for value in cookies(request.headers.getlist("cookie")):
            try:
                return self.sessions.session(value)
            except PermissionError as error:
                refusal = error
        if refusal is not None:
            raise refusal
        return None


def shelf_of(grant: Grant, seller: str | None) -> Shelf:
    """Return the shelf of a grant.

    Errors  Refused (400) when an operator names no seller, or someone else names one.
    """
    if grant.seller is not None:
        assert grant.seller, "an empty name would be everybody's"
        if seller is not None:
            raise bad("seller", "only an operator names one; your token says who you are")
        return Shelf(grant.seller, grant.products)
    if seller is None:
        raise bad("seller", "missing; an operator names the seller whose numbers are asked for")
    return Shelf(seller, grant.products)


def name(value: str) -> str:
    """Return a seller's or product's name, or refuse one that can't exist."""
    if not 1 <= len(value) <= NAME_CHARACTERS_MAX:
        raise ValueError(f"must have 1 to {NAME_CHARACTERS_MAX} characters")
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in value):
        raise ValueError("must not hold control characters")
    return value


def cookies(headers: list[str]) -> list[str]:
    """Return every value of the session cookie, in the order sent.

    Read by hand: cookie libraries stop at another script's malformed cookie or keep only one of
    two with the same name, and a browser may hold a partitioned one beside an ordinary one.
    """
    pairs = (pair.strip().partition("=") for header in headers for pair in header.split(";"))
    return [value for key, _, value in pairs if key == COOKIE and value]
