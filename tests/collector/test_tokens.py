"""Tokens: what each may do, and what is refused, with the sentence that the caller reads."""

import base64
import json
from typing import Any

import jwt
import pytest

from collector import tokens
from collector.keys import derive
from collector.tokens import HOUR_SECONDS, LIFE_SECONDS, YEAR_SECONDS, Grant
from tests.collector.test_keys import SECRET

KEY = derive(SECRET, "token")
OTHER_KEY = derive(SECRET, "operator")
NOW = 1_781_800_000
CLAIMS: dict[str, Any] = {
    "aud": "collector",
    "scope": "stats",
    "sub": "anna",
    "iat": NOW,
    "exp": NOW + 600,
}
# printf %s '{"alg":"HS256","typ":"JWT"}' | base64url, the same for the claims, then
# printf %s "$HEAD.$CLAIMS" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$KEY -binary | base64url
FROM_OPENSSL = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJjb2xsZWN0b3IiLCJzY29wZSI6InN0YXRzIiwic3ViI"
    "joiYW5uYSIsInByb2R1Y3RzIjpbIm9saXZlLW9pbCJdLCJpYXQiOjE3ODE4MDAwMDAsImV4cCI6MTc4MTgwMDYwMH0"
    ".k0PEsWwHmRxtzwFYJ7j4vOQiXxEvVTKK4aQnGiqX3L8"
)


def signed(key: bytes = KEY, **claims: Any) -> str:
    """Return a token as any library makes it; a claim of None is left out."""
    kept = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return jwt.encode(kept, key, algorithm="HS256")


def refusal(token: str, now: int = NOW, key: bytes = KEY) -> str:
    """Return the sentence with which a token is refused."""
    with pytest.raises(PermissionError) as refused:
        tokens.read(token, key, now=now)
    sentence = str(refused.value)
    assert not token or token not in sentence
    return sentence


def test_a_token_made_by_openssl_is_read() -> None:
    """A backend without our command line makes its own tokens by RFC 7519."""
    grant = tokens.read(FROM_OPENSSL, KEY, now=NOW)
    assert grant == Grant("stats", "anna", frozenset({"olive-oil"}), NOW, NOW + 600, None)


@pytest.mark.parametrize("scope", ["stats", "login", "location", "operator"])
def test_a_minted_token_allows_what_was_asked_for_its_time(scope: str) -> None:
    """Scope, seller and products come back; it works until the second in which it expires."""
    token = tokens.mint(scope, KEY, now=NOW, seller="anna", products=["b", "a", "b"])
    life = LIFE_SECONDS[scope]  # type: ignore[index]  # any text, as on the command line
    grant = tokens.read(token, KEY, now=NOW + life - 1)
    assert (grant.scope, grant.seller, grant.products) == (scope, "anna", frozenset("ab"))
    assert (grant.issued_at, grant.expires_at) == (NOW, NOW + life)
    assert (grant.id is not None) == (scope == "login")
    assert refusal(token, NOW + life) == "token: expired; ask for a new one"


def test_the_usual_lives_are_those_of_the_contract() -> None:
    """An hour for a seller's numbers, two minutes for a sign-in, a year for machines."""
    year = 366 * 24 * 3600
    assert {"stats": 3600, "login": 120, "location": year, "operator": year} == LIFE_SECONDS


def test_no_two_sign_ins_are_the_same() -> None:
    """Each can be used once, so each has an id that nobody can guess."""
    ids = {
        tokens.read(tokens.mint("login", KEY, now=NOW, seller="anna"), KEY, now=NOW).id
        for _ in range(50)
    }
    assert len(ids) == 50
    assert all(each is not None and len(each) >= 20 for each in ids)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"scope": "admin"}, "scope: 'admin' is not one of stats, login, location, operator"),
        ({"scope": "stats"}, "seller: a stats token needs one"),
        ({"seller": ""}, "seller: must be 1 to 128 characters without control characters"),
        ({"seller": "a\nb"}, "seller: must be 1 to 128 characters without control characters"),
        ({"seller": "a" * 129}, "seller: must be 1 to 128 characters without control characters"),
        ({"products": ["a", ""]}, "product: must be 1 to 128 characters without control"),
        ({"products": []}, "products: 1 to 200, or none for all of the seller's"),
        ({"products": map(str, range(201))}, "products: 1 to 200, or none for all"),
        ({"ttl_seconds": 0}, "ttl: must be longer than nothing, for example 1h"),
        ({"ttl_seconds": -1}, "ttl: must be longer than nothing, for example 1h"),
        ({"ttl_seconds": 121, "scope": "login"}, "ttl: a login token lives at most 120 seconds"),
        ({"ttl_seconds": 21 * YEAR_SECONDS}, "ttl: at most 20 years"),
    ],
    ids=str,
)
def test_a_token_that_would_be_refused_is_not_made(given: dict[str, Any], sentence: str) -> None:
    """Whoever runs `collector token` learns what is wrong now, not at the first request."""
    asked = {"scope": "location"} | given
    with pytest.raises(ValueError, match="^" + sentence.split("(")[0]):
        tokens.mint(asked.pop("scope"), KEY, now=NOW, **asked)


CANT_READ = "token: it can't be read as a JWT"
WRONG_KEY = "token: signed with another key than this server's"
NO_TIME = 'token: "iat" and "exp" must be whole seconds since 1970'
NO_SELLER = 'token: "sub" must name the seller'
NO_SCOPE = 'token: "scope" must be one of stats, login, location, operator'
NO_ID = 'token: "jti" must be a text of 1 to 128 characters'
NO_PRODUCTS = 'token: "products" must list 1 to 200 products'


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"aud": None}, 'token: "aud" is missing'),
        ({"aud": "another service"}, 'token: its "aud" must be "collector"'),
        ({"aud": 7}, 'token: its "aud" must be "collector"'),
        ({"exp": None}, 'token: "exp" is missing'),
        ({"iat": None}, 'token: "iat" is missing'),
        ({"exp": NOW}, "token: expired; ask for a new one"),
        ({"exp": NOW - 1}, "token: expired; ask for a new one"),
        ({"exp": NOW + 0.5}, NO_TIME),
        ({"exp": str(NOW + 60)}, NO_TIME),
        ({"exp": True}, NO_TIME),
        ({"exp": 2**40}, NO_TIME),
        ({"exp": [NOW + 60]}, NO_TIME),
        ({"iat": -1}, NO_TIME),
        ({"iat": NOW + 31}, 'token: its "iat" lies in the future; compare the two clocks'),
        ({"scope": None}, NO_SCOPE),
        ({"scope": "admin"}, NO_SCOPE),
        ({"scope": ["stats"]}, NO_SCOPE),
        ({"scope": {"stats": 1}}, NO_SCOPE),
        ({"scope": 7}, NO_SCOPE),
        ({"sub": None}, NO_SELLER),
        ({"sub": ""}, NO_SELLER),
        ({"sub": 42}, NO_SELLER),
        ({"sub": ["anna"]}, NO_SELLER),
        ({"scope": "login", "sub": ""}, NO_SELLER),
        ({"scope": "login", "exp": NOW + 121, "jti": "x"}, "token: a login lives at most 120"),
        ({"scope": "login", "exp": NOW + 60}, NO_ID),
        ({"scope": "login", "exp": NOW + 60, "jti": ""}, NO_ID),
        ({"scope": "login", "exp": NOW + 60, "jti": "x" * 129}, NO_ID),
        ({"scope": "login", "exp": NOW + 60, "jti": 7}, NO_ID),
        ({"products": "olive-oil"}, NO_PRODUCTS),
        ({"products": []}, NO_PRODUCTS),
        ({"products": [1]}, NO_PRODUCTS),
        ({"products": {"olive-oil": True}}, NO_PRODUCTS),
        ({"products": [str(n) for n in range(201)]}, NO_PRODUCTS),
    ],
    ids=str,
)
def test_a_claim_that_cannot_be_is_refused_with_its_name(
    claims: dict[str, Any], sentence: str
) -> None:
    """The signature is right and still every claim is looked at: a backend's programmer reads
    which one is wrong and what would do."""
    assert refusal(signed(**claims)).startswith(sentence)


def test_clocks_may_differ_by_half_a_minute() -> None:
    """A token from a server whose clock is a little ahead works at once."""
    assert tokens.read(signed(iat=NOW + 30), KEY, now=NOW).seller == "anna"


def unsigned(head: dict[str, Any], claims: dict[str, Any] | None = None, end: str = "") -> str:
    """Return a token without a good signature."""
    parts = [json.dumps(each).encode() for each in (head, CLAIMS if claims is None else claims)]
    return ".".join(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in parts) + end


NESTED = base64.urlsafe_b64encode(b"[" * 3000).decode().rstrip("=")


WRONG_ALGORITHM = "token: it must be signed with HS256"
FORGED = {
    "another key": (signed(OTHER_KEY), WRONG_KEY),
    "a changed end": (signed()[:-3] + "AAA", WRONG_KEY),
    "no signature": (unsigned({"alg": "HS256"}, end="."), WRONG_KEY),
    "none": (unsigned({"alg": "none"}, end="."), WRONG_ALGORITHM),
    "None": (unsigned({"alg": "None"}, end=".AAAA"), WRONG_ALGORITHM),
    "RS256": (unsigned({"alg": "RS256"}, end=".AAAA"), WRONG_ALGORITHM),
    "HS512": (jwt.encode(CLAIMS, KEY + KEY, algorithm="HS512"), WRONG_ALGORITHM),
    "no algorithm": (unsigned({}, end=".AAAA"), WRONG_ALGORITHM),
    "a list of algorithms": (unsigned({"alg": ["HS256"]}, end=".AAAA"), WRONG_ALGORITHM),
    "nothing": ("", CANT_READ),
    "a word": ("Bearer", CANT_READ),
    "three letters": ("a.b.c", CANT_READ),
    "dots": ("....", CANT_READ),
    "letters of no alphabet": ("ü.ü.ü", CANT_READ),
    "half a pair": ("\ud83e", CANT_READ),
    "a nested head": (f"{NESTED}.{NESTED}.AAAA", CANT_READ),
    "nested claims": (f"{unsigned({'alg': 'HS256'}).split('.')[0]}.{NESTED}.AAAA", WRONG_KEY),
    "endless": ("x" * 16_385, "token: longer than 16384 characters"),
}


@pytest.mark.parametrize(("token", "sentence"), FORGED.values(), ids=FORGED)
def test_what_nobody_signed_is_refused(token: str, sentence: str) -> None:
    """Another key, another algorithm, none at all, or no token: refused with one sentence."""
    assert refusal(token) == sentence


@pytest.mark.parametrize("name", ["nothing", "dots", "half a pair", "nested claims", "endless"])
def test_what_cannot_be_read_is_refused_before_a_key_is_chosen(name: str) -> None:
    """The claims choose the key that the signature must hold under, so they are read before
    anybody knows who wrote them: that never ends in anything but a refusal."""
    with pytest.raises(PermissionError, match=r"^token: (it can't be read|longer than)"):
        tokens.claimed(FORGED[name][0])


def test_a_session_stands_for_what_its_sign_in_allowed() -> None:
    """A signed-in seller has their own numbers; who signed in without a seller is the operator."""
    for seller, scope in (("anna", "stats"), (None, "operator")):
        cookie = tokens.mint_session(
            KEY, now=NOW, seller=seller, products=["a"], ttl_seconds=HOUR_SECONDS
        )
        grant = tokens.as_session(tokens.read(cookie, KEY, now=NOW))
        assert (grant.scope, grant.seller, grant.products) == (scope, seller, frozenset("a"))
