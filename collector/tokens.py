"""Tokens: who asks, for what, until when. JWTs signed with HS256 and nothing else.

Pure: the clock is an argument. What was revoked or used up is asked elsewhere (`access`). An
error is a `PermissionError` with one sentence for the caller; it never quotes the token.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import jwt

from collector.hit import is_name

AUDIENCE = "collector"
Scope = Literal["stats", "login", "location", "operator"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

HOUR_SECONDS = 3600
YEAR_SECONDS = 366 * 24 * HOUR_SECONDS
LOGIN_SECONDS_MAX = 120
LIFE_SECONDS: dict[Scope, int] = {
    "stats": HOUR_SECONDS,
    "login": LOGIN_SECONDS_MAX,
    "location": YEAR_SECONDS,
    "operator": YEAR_SECONDS,
}
CLOCK_SKEW_SECONDS = 30  # Two servers' clocks differ by less than this, or have a fault.
TOKEN_CHARACTERS_MAX = 16 * 1024  # A thousand product names; headers are bounded anyway.
PRODUCTS_MAX = 200
LIFE_YEARS_MAX = 20
UNREADABLE = "token: it can't be read as a JWT"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows.

    scope       one of SCOPES, or "session" for a signed-in browser
    seller      whose numbers, or None where the scope has no seller
    products    only these products, or None for all of the seller's
    issued_at, expires_at   seconds since 1970
    id          the token's own id (`jti`), which a login must have
    """

    scope: str
    seller: str | None
    products: frozenset[str] | None
    issued_at: int
    expires_at: int
    id: str | None


def mint(
    scope: str,
    key: bytes,
    *,
    now: int,
    seller: str | None = None,
    products: Iterable[str] | None = None,
    ttl_seconds: int | None = None,
) -> str:
    """Return a signed token.

    Errors  ValueError with a sentence where `read` would refuse the token later: an unknown scope,
            a missing seller, a name that can't be one, too many products, a life that is not
            positive, longer than twenty years or, for a login, than two minutes.
    """
    if scope not in LIFE_SECONDS:
        raise ValueError(f"scope: {scope!r} is not one of {', '.join(SCOPES)}")
    life = LIFE_SECONDS[scope] if ttl_seconds is None else ttl_seconds
    if life <= 0:
        raise ValueError("ttl: must be longer than nothing, for example 1h")
    if life > LIFE_YEARS_MAX * YEAR_SECONDS:
        raise ValueError(f"ttl: at most {LIFE_YEARS_MAX} years")
    if scope == "login" and life > LOGIN_SECONDS_MAX:
        raise ValueError(f"ttl: a login token lives at most {LOGIN_SECONDS_MAX} seconds")
    if scope == "stats" and seller is None:
        raise ValueError("seller: a stats token needs one")
    products = None if products is None else list(products)
    if products is not None and not 1 <= len(products) <= PRODUCTS_MAX:
        raise ValueError(f"products: 1 to {PRODUCTS_MAX}, or none for all of the seller's")
    for field, names in (("seller", [seller] if seller is not None else []), ("product", products)):
        if not all(map(is_name, names or [])):
            raise ValueError(f"{field}: must be 1 to 128 characters without control characters")
    claims = _claims(scope, now, life, seller, products)
    if scope == "login":
        claims["jti"] = secrets.token_urlsafe(16)
    return jwt.encode(claims, key, algorithm="HS256")


def mint_session(
    key: bytes, *, now: int, seller: str | None, products: Iterable[str] | None, ttl_seconds: int
) -> str:
    """Return the value of a session cookie: a token of its own scope under its own key."""
    return jwt.encode(
        _claims("session", now, ttl_seconds, seller, products), key, algorithm="HS256"
    )


def as_session(grant: Grant) -> Grant:
    """Return a session's grant with the scope that it stands for."""
    return replace(grant, scope="operator" if grant.seller is None else "stats")


def _claims(
    scope: str, now: int, life: int, seller: str | None, products: Iterable[str] | None
) -> dict[str, Any]:
    claims: dict[str, Any] = {"aud": AUDIENCE, "scope": scope, "iat": now, "exp": now + life}
    if seller is not None:
        claims["sub"] = seller
    if products is not None:
        claims["products"] = sorted(set(products))
    return claims


def read(token: str, key: bytes, *, now: int) -> Grant:
    """Return what a token allows, or refuse it.

    Errors  PermissionError with one sentence that says what to do; it never quotes the token.
    """
    _refuse_endless(token)
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=["HS256"],
            audience=AUDIENCE,
            # Our clock is an argument, so the times are checked below and not by the library.
            options={
                "require": ["exp", "iat", "aud"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except jwt.InvalidAudienceError:
        raise PermissionError('token: its "aud" must be "collector"') from None
    except jwt.MissingRequiredClaimError as error:
        raise PermissionError(f'token: "{error.claim}" is missing') from None
    except jwt.InvalidAlgorithmError:
        raise PermissionError("token: it must be signed with HS256") from None
    except jwt.InvalidSignatureError:
        raise PermissionError("token: signed with another key than this server's") from None
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        raise PermissionError(UNREADABLE) from None
    return _grant(claims, now=now)


def claimed(token: str) -> dict[str, Any]:
    """Return what a token says of itself, unverified: only to choose the key that it needs.

    Errors  PermissionError as `read`.
    """
    _refuse_endless(token)
    try:
        return jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError):  # the last: nested to exhaust us
        raise PermissionError(UNREADABLE) from None


def _refuse_endless(token: str) -> None:
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise PermissionError(f"token: longer than {TOKEN_CHARACTERS_MAX} characters")


def _grant(claims: dict[str, Any], *, now: int) -> Grant:
    issued_at, expires_at = claims["iat"], claims["exp"]
    if not _is_time(issued_at) or not _is_time(expires_at):
        raise PermissionError('token: "iat" and "exp" must be whole seconds since 1970')
    if now >= expires_at:
        raise PermissionError("token: expired; ask for a new one")
    if issued_at > now + CLOCK_SKEW_SECONDS:
        raise PermissionError('token: its "iat" lies in the future; compare the two clocks')
    scope, seller = claims.get("scope"), claims.get("sub")
    if not isinstance(scope, str) or (scope not in LIFE_SECONDS and scope != "session"):
        raise PermissionError(f'token: "scope" must be one of {", ".join(SCOPES)}')
    if scope == "stats" and seller is None:
        raise PermissionError('token: "sub" must name the seller')
    if seller is not None and (not isinstance(seller, str) or not seller):
        raise PermissionError('token: "sub" must name the seller')
    if scope == "login" and expires_at - issued_at > LOGIN_SECONDS_MAX:
        raise PermissionError(f"token: a login lives at most {LOGIN_SECONDS_MAX} seconds")
    id_ = claims.get("jti")
    if (scope == "login" and id_ is None) or (id_ is not None and not _is_id(id_)):
        raise PermissionError('token: "jti" must be a text of 1 to 128 characters')
    return Grant(scope, seller, _products(claims.get("products")), issued_at, expires_at, id_)


def _products(claim: object) -> frozenset[str] | None:
    if claim is None:
        return None
    if (
        not isinstance(claim, list)
        or not all(isinstance(product, str) for product in claim)
        or not 1 <= len(claim) <= PRODUCTS_MAX
    ):
        raise PermissionError(f'token: "products" must list 1 to {PRODUCTS_MAX} products')
    return frozenset(claim)


def _is_time(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**40


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 128
