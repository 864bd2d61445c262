"""Access: which tokens and sessions are good right now, in whichever process asks."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import jwt
import pytest

from collector import tokens
from collector.access import SESSION_SECONDS, Access
from collector.keys import derive
from collector.operator.commands import revoke
from collector.settings import Settings
from tests.collector.test_keys import SECRET

NOW = 1_781_800_000
TOKEN_KEY, OPERATOR_KEY, SESSION_KEY = (
    derive(SECRET, "token"),
    derive(SECRET, "operator"),
    derive(SECRET, "session"),
)
STATS = frozenset({"stats"})
ANY = frozenset({"stats", "location", "operator"})
REVOKED = "token: revoked; ask for a new one"


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now + 0.9


def opened(path: Path, clock: Clock) -> Access:
    """Open the file as each process does."""
    return Access(
        path,
        token_key=TOKEN_KEY,
        operator_key=OPERATOR_KEY,
        session_key=SESSION_KEY,
        now=clock,
    )


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
def access(tmp_path: Path, clock: Clock) -> Iterator[Access]:
    """The reports process's door."""
    with closing(opened(tmp_path / "data" / "access.sqlite", clock)) as access:
        yield access


@pytest.fixture
def other(access: Access, tmp_path: Path, clock: Clock) -> Iterator[Access]:
    """The beacons process's door to the same file."""
    with closing(opened(tmp_path / "data" / "access.sqlite", clock)) as other:
        yield other


def bearer(scope: str = "stats", seller: str | None = "anna", now: int = NOW) -> str:
    """Return an Authorization header with a fresh token."""
    of_operator = scope == "operator" or (scope == "login" and seller is None)
    key = OPERATOR_KEY if of_operator else TOKEN_KEY
    return f"Bearer {tokens.mint(scope, key, now=now, seller=seller)}"


def sign_in(seller: str | None = "anna", now: int = NOW) -> str:
    """Return a fresh sign-in."""
    return bearer("login", seller, now).removeprefix("Bearer ")


def refusal(access: Access, header: str | None, scopes: frozenset[str] = ANY) -> str:
    """Return the sentence with which a header is refused."""
    with pytest.raises(PermissionError) as refused:
        access.authorise(scopes, header)
    return str(refused.value)


def test_a_good_token_is_granted_again_and_again(access: Access, clock: Clock) -> None:
    """A backend sends one token for an hour; the scheme's name may be in any case."""
    header = bearer()
    for moment in (0, 1, 3599):
        clock.now = NOW + moment
        assert access.authorise(STATS, header).seller == "anna"
    assert access.authorise(STATS, header.replace("Bearer", "bEARER  ")).seller == "anna"


def test_a_token_that_was_good_expires(access: Access, clock: Clock) -> None:
    """What was granted a second ago is refused now; nobody goes by what they remember."""
    header = bearer()
    access.authorise(STATS, header)
    clock.now = NOW + 3600
    assert refusal(access, header) == "token: expired; ask for a new one"


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (None, "Authorization: missing; send `Authorization: Bearer <token>`"),
        ("", "Authorization: must be `Bearer <token>`"),
        ("Bearer", "Authorization: must be `Bearer <token>`"),
        ("Bearer   ", "Authorization: must be `Bearer <token>`"),
        ("Basic YW5uYTpzZWNyZXQ=", "Authorization: must be `Bearer <token>`"),
        ("Bearer abc", "token: it can't be read as a JWT"),
        ("Bearer " + "x" * 100_000, "token: longer than 16384 characters"),
    ],
    ids=["missing", "empty", "no token", "blanks", "basic", "no JWT", "endless"],
)
def test_a_header_without_a_token_is_refused(
    access: Access, header: str | None, sentence: str
) -> None:
    """The sentence says what to send."""
    assert refusal(access, header) == sentence


def test_a_token_opens_only_its_own_door(access: Access) -> None:
    """A backend's location token shows no numbers, a seller's token runs no marketplace."""
    sentence = 'token: its scope is "location", needed is operator or stats'
    assert refusal(access, bearer("location", None), STATS | {"operator"}) == sentence
    sentence = 'token: its scope is "stats", needed is operator'
    assert refusal(access, bearer(), frozenset({"operator"})) == sentence
    sentence = 'token: its scope is "login", needed is location or operator or stats'
    assert refusal(access, bearer("login")) == sentence


@pytest.mark.parametrize(
    "header",
    [
        f"Bearer {tokens.mint('operator', TOKEN_KEY, now=NOW)}",
        f"Bearer {tokens.mint('login', TOKEN_KEY, now=NOW)}",
        f"Bearer {tokens.mint('stats', OPERATOR_KEY, now=NOW, seller='anna')}",
        f"Bearer {tokens.mint('location', SESSION_KEY, now=NOW)}",
    ],
    ids=["operator", "operator's sign-in", "stats", "location"],
)
def test_a_backends_key_signs_nothing_for_the_operator(access: Access, header: str) -> None:
    """Backends hold the token key. With it nobody makes an operator's token or sign-in; nor does
    the operator's key, lost, sign for a seller."""
    assert refusal(access, header) == "token: signed with another key than this server's"
    with pytest.raises(PermissionError, match="signed with another key"):
        access.redeem(header.removeprefix("Bearer "))


def test_a_sign_in_works_once(access: Access, other: Access) -> None:
    """The link that was clicked is burnt, in both processes and after a restart."""
    token = sign_in()
    grant, cookie, seconds = access.redeem(token)
    assert (grant.scope, grant.seller, seconds) == ("stats", "anna", SESSION_SECONDS)
    assert access.session(cookie).seller == "anna"
    for door in (access, other):
        with pytest.raises(PermissionError) as refused:
            door.redeem(token)
        assert str(refused.value) == "token: this sign-in was used; ask for a new one"


def test_two_sellers_sign_in_with_one_id(access: Access) -> None:
    """A backend that counts its ids per seller locks nobody out."""
    claims = {"aud": "collector", "scope": "login", "iat": NOW, "exp": NOW + 60, "jti": "1"}
    for seller in ("anna", "bert"):
        access.redeem(jwt.encode(claims | {"sub": seller}, TOKEN_KEY, algorithm="HS256"))


def test_a_used_sign_in_is_remembered_for_as_long_as_it_lives(
    access: Access, clock: Clock, tmp_path: Path
) -> None:
    """Ids of expired sign-ins are forgotten; that of one that still lives isn't, however many
    come after it, and none is kept in words."""
    token = sign_in()
    access.redeem(token)
    for moment in (1, 60, 119):
        clock.now = NOW + moment
        access.redeem(sign_in("bert", clock.now))
        with pytest.raises(PermissionError, match="was used"):
            access.redeem(token)
    clock.now = NOW + 500
    access.redeem(sign_in("bert", clock.now))
    with closing(sqlite3.connect(tmp_path / "data" / "access.sqlite")) as connection:
        assert connection.execute("select count(*), max(length(id)) from used").fetchone() == (
            1,
            16,
        )


def test_only_a_sign_in_signs_in(access: Access) -> None:
    """A stats token in the sign-in form is refused by its scope, and a session is no token."""
    with pytest.raises(PermissionError, match='its scope is "stats", needed is login'):
        access.redeem(bearer().removeprefix("Bearer "))
    _, cookie, _ = access.redeem(sign_in())
    assert refusal(access, f"Bearer {cookie}").startswith("token: signed with another key")
    with pytest.raises(PermissionError, match="signed with another key"):
        access.session(bearer().removeprefix("Bearer "))
    forged = tokens.mint("stats", SESSION_KEY, now=NOW, seller="anna")
    with pytest.raises(PermissionError, match="session: not one of ours; sign in again"):
        access.session(forged)
    session_by_backend = tokens.mint_session(
        TOKEN_KEY, now=NOW, seller="anna", products=None, ttl_seconds=60
    )
    assert refusal(access, f"Bearer {session_by_backend}") == "token: a session is no token"


def test_a_session_ends_by_itself(access: Access, clock: Clock) -> None:
    """Nobody stays signed in on a shared computer for longer than a working day."""
    _, cookie, _ = access.redeem(sign_in())
    clock.now = NOW + SESSION_SECONDS - 1
    assert access.session(cookie).seller == "anna"
    clock.now = NOW + SESSION_SECONDS
    with pytest.raises(PermissionError, match="expired"):
        access.session(cookie)


def test_a_revocation_holds_at_once_in_both_processes(
    access: Access, other: Access, clock: Clock, tmp_path: Path
) -> None:
    """`collector revoke --seller anna` ends anna's tokens, sign-ins and sessions that were issued
    until now, also one that a process has just read; bert's and newer ones work."""
    header, pending, berts = bearer(), sign_in(), bearer(seller="bert")
    _, cookie, _ = access.redeem(sign_in())
    for door in (access, other):
        door.authorise(STATS, header)
    settings = Settings(data_dir=tmp_path / "data")
    revoke(settings, "anna", NOW)
    for door in (access, other):
        assert refusal(door, header) == REVOKED
        with pytest.raises(PermissionError, match=REVOKED):
            door.redeem(pending)
        with pytest.raises(PermissionError, match=REVOKED):
            door.session(cookie)
        assert door.authorise(STATS, berts).seller == "bert"
    clock.now = NOW + 1
    assert other.authorise(STATS, bearer(now=NOW + 1)).seller == "anna"


def test_a_revocation_holds_at_once_after_a_quiet_time(
    access: Access, other: Access, tmp_path: Path, clock: Clock
) -> None:
    """What was revoked is kept while the file's log stays as it is; the next one changes it."""
    log = tmp_path / "data" / "access.sqlite-wal"
    header = f"Bearer {tokens.mint('stats', TOKEN_KEY, now=NOW, seller='a')}"
    for seller in ("b", "a"):
        os.utime(log, (NOW, NOW))  # long ago by the system's clock
        assert access.authorise(STATS, header).seller == "a"
        assert access.authorise(STATS, header).seller == "a"
        other.revoke(seller, issued_before=NOW + 1)
    with pytest.raises(PermissionError, match=REVOKED):
        access.authorise(STATS, header)


def test_everybody_can_be_revoked(access: Access, other: Access, tmp_path: Path) -> None:
    """A leaked key: every token goes, the operator's too; a later revocation of one seller
    doesn't bring older ones back."""
    headers = [bearer(), bearer(seller="bert"), bearer("location", None), bearer("operator", None)]
    settings = Settings(data_dir=tmp_path / "data")
    revoke(settings, None, NOW)
    revoke(settings, "anna", NOW - 100)
    for header in headers:
        assert refusal(other, header) == REVOKED


def test_a_revocation_is_not_taken_back_by_an_earlier_one(access: Access) -> None:
    """Two operators revoke in the wrong order; the later time stands."""
    access.revoke("anna", issued_before=NOW + 1)
    access.revoke("anna", issued_before=NOW - 1000)
    assert refusal(access, bearer()) == REVOKED


@pytest.mark.parametrize("seller", ["", "a\nb", "a" * 129], ids=["empty", "two lines", "long"])
def test_nobody_is_revoked_by_a_name_that_cannot_be(tmp_path: Path, seller: str) -> None:
    """A script whose variable is empty must not sign everybody out."""
    with pytest.raises(ValueError, match=r"^seller: must be 1 to 128 characters"):
        revoke(Settings(data_dir=tmp_path), seller, NOW)
    assert not (tmp_path / "access.sqlite").exists()


def test_only_the_owner_reads_the_file(access: Access, tmp_path: Path) -> None:
    """Revocations name sellers; nobody else on the machine has to know them."""
    access.revoke("anna", issued_before=NOW)
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "data").iterdir()}
    assert modes == {0}
