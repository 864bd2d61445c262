"""A token that was read once is not read again, and still ends when it has to."""

from pathlib import Path

import pytest

from collector import access, tokens
from collector.access import Access

KEY = b"k" * 32
LOCATION = frozenset({"location"})
NOW = 1_800_000_000


class Clock:
    """A clock that a test moves."""

    now = float(NOW)

    def __call__(self) -> float:
        return self.now


def opened(path: Path, clock: Clock) -> Access:
    """Open one process's view of the file."""
    return Access(path, token_key=KEY, operator_key=KEY, session_key=KEY, now=clock)


def bearer(now: int = NOW, ttl_seconds: int | None = None) -> str:
    """Return an Authorization header with a new location token."""
    return f"Bearer {tokens.mint('location', KEY, now=now, ttl_seconds=ttl_seconds)}"


def test_a_kept_token_expires(tmp_path: Path) -> None:
    """It was good a moment ago, and its hour is over."""
    clock = Clock()
    doors = opened(tmp_path / "access.sqlite", clock)
    header = bearer(ttl_seconds=60)
    assert doors.authorise(LOCATION, header).scope == "location"
    clock.now += 59
    assert doors.authorise(LOCATION, header).scope == "location"
    clock.now += 1
    with pytest.raises(PermissionError, match="expired"):
        doors.authorise(LOCATION, header)
    doors.close()


def test_a_kept_token_is_revoked_at_once_by_another_process(tmp_path: Path) -> None:
    """The operator's command runs beside the server; the next request is refused, and a token of
    the next second is good."""
    clock = Clock()
    doors, command = (opened(tmp_path / "access.sqlite", clock) for _ in range(2))
    header = bearer()
    assert doors.authorise(LOCATION, header).scope == "location"
    command.revoke(None, issued_before=NOW + 1)
    with pytest.raises(PermissionError, match="revoked"):
        doors.authorise(LOCATION, header)
    clock.now += 1
    assert doors.authorise(LOCATION, bearer(NOW + 1)).scope == "location"
    doors.close()
    command.close()


def test_a_kept_token_opens_no_other_door(tmp_path: Path) -> None:
    """What is kept is what the token says, not that somebody let it in."""
    doors = opened(tmp_path / "access.sqlite", Clock())
    header = bearer()
    doors.authorise(LOCATION, header)
    with pytest.raises(PermissionError, match="needed is stats"):
        doors.authorise(frozenset({"stats"}), header)
    doors.close()


def test_few_tokens_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody with a key could mint a million; memory stays small."""
    monkeypatch.setattr(access, "KEPT_TOKENS_MAX", 3)
    doors = opened(tmp_path / "access.sqlite", Clock())
    for life in range(1, 20):
        doors.authorise(LOCATION, bearer(ttl_seconds=life))
        assert len(doors._kept) <= 3
    doors.close()
