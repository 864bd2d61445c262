"""Access: which tokens and sessions are good right now.

`tokens` reads a token; here it is asked whether it was revoked or, for a sign-in, used up. Both
processes ask the same small SQLite file, so a revocation holds in both at once.
"""

import contextlib
import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Self

from collector import keys, tokens
from collector.tokens import Grant

SESSION_SECONDS = 8 * tokens.HOUR_SECONDS  # A working day; then the shop's link signs in again.
BUSY_SECONDS = 5.0
BUSY_PAUSE_SECONDS = 0.01
LOG_TICK_NANOSECONDS = 100_000_000  # Ten times the coarsest that Linux has.
KEPT_TOKENS_MAX = 256  # a marketplace's backend sends one token again and again
SCHEMA = """
create table if not exists used (id blob primary key, expires_at integer not null)
    strict, without rowid;
create table if not exists revoked (seller text primary key, issued_before integer not null)
    strict, without rowid;
"""
FILE_NAME = "access.sqlite"
EVERYBODY = ""  # no seller has an empty name


class Access:
    """Answers for tokens and sessions. May be called from several threads."""

    def __init__(
        self,
        path: Path,
        *,
        token_key: bytes,
        operator_key: bytes,
        session_key: bytes,
        now: Callable[[], float],
    ) -> None:
        """path: the SQLite file, made when missing; now: seconds since 1970."""
        self._path = path
        self._token_key = token_key
        self._operator_key = operator_key
        self._session_key = session_key
        self._now = now
        self._kept: dict[str, Grant] = {}
        self._lock = threading.Lock()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log = f"{path}-wal"
        self._stamp: tuple[int, int] | None = None
        self._revoked: dict[str, int] = {}
        self._connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        path.chmod(0o600)
        self._prepare()

    @classmethod
    def of(cls, data_dir: Path, secret: bytes, now: Callable[[], float]) -> Self:
        """Open the data directory's file, with the keys of a secret."""
        return cls(
            data_dir / FILE_NAME,
            token_key=keys.derive(secret, "token"),
            operator_key=keys.derive(secret, "operator"),
            session_key=keys.derive(secret, "session"),
            now=now,
        )

    def _prepare(self) -> None:
        """Make the tables. All processes start at once, and SQLite does not wait for its turn
        while it changes a file's journal mode, so this does."""
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._connection.execute("pragma journal_mode=wal")
                self._connection.execute("pragma synchronous=full")
                self._connection.executescript(SCHEMA)
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(BUSY_PAUSE_SECONDS)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def authorise(self, scopes: frozenset[str], header: str | None) -> Grant:
        """Return what the Authorization header grants.

        scopes  those that may pass
        Errors  PermissionError with one sentence that says what to do.
        """
        if header is None:
            raise PermissionError("Authorization: missing; send `Authorization: Bearer <token>`")
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise PermissionError("Authorization: must be `Bearer <token>`")
        grant = self._read(token.strip())
        if grant.scope not in scopes:
            allowed = " or ".join(sorted(scopes))
            raise PermissionError(f'token: its scope is "{grant.scope}", needed is {allowed}')
        return grant

    def redeem(self, login_token: str) -> tuple[Grant, str, int]:
        """Use up a sign-in; return the grant, the session cookie's value and its life in seconds.

        Errors  PermissionError when it isn't a sign-in, was used before, or can't be read.
        """
        grant = self._read(login_token)
        if grant.scope != "login" or grant.id is None:
            raise PermissionError(f'token: its scope is "{grant.scope}", needed is login')
        now = int(self._now())
        # A digest: the id itself might say something about a person.
        digest = hashlib.blake2b(f"{grant.seller}\n{grant.id}".encode(), digest_size=16).digest()
        with self._transaction() as connection:
            connection.execute("delete from used where expires_at < ?", (now,))
            try:
                connection.execute("insert into used values (?, ?)", (digest, grant.expires_at))
            except sqlite3.IntegrityError:
                raise PermissionError("token: this sign-in was used; ask for a new one") from None
        cookie = tokens.mint_session(
            self._session_key,
            now=now,
            seller=grant.seller,
            products=grant.products,
            ttl_seconds=SESSION_SECONDS,
        )
        return self.session(cookie), cookie, SESSION_SECONDS

    def session(self, cookie: str) -> Grant:
        """Return what a session cookie's value allows; scope is "stats" or "operator".

        Errors  PermissionError with one sentence.
        """
        grant = tokens.read(cookie, self._session_key, now=int(self._now()))
        if grant.scope != "session":
            raise PermissionError("session: not one of ours; sign in again")
        self._refuse_revoked(grant)
        return tokens.as_session(grant)

    def revoke(self, seller: str | None, *, issued_before: int) -> None:
        """Refuse all tokens and sessions of a seller (None: of everybody) issued before a time."""
        with self._transaction() as connection:
            connection.execute(
                "insert into revoked values (?, ?) on conflict (seller) do update"
                " set issued_before = max(issued_before, excluded.issued_before)",
                (EVERYBODY if seller is None else seller, issued_before),
            )

    def _read(self, token: str) -> Grant:
        now = int(self._now())
        grant = self._kept.get(token)
        # A signature that held once holds for ever; times and revocations are asked every time.
        if grant is None or not grant.issued_at <= now < grant.expires_at:
            grant = tokens.read(token, self._key_for(token), now=now)
            if grant.scope == "session":
                raise PermissionError("token: a session is no token")
            if grant.scope != "login":
                if len(self._kept) >= KEPT_TOKENS_MAX:
                    self._kept.clear()
                self._kept[token] = grant
        self._refuse_revoked(grant)
        return grant

    def _key_for(self, token: str) -> bytes:
        """Choose by what the token claims to be; the signature then has to hold under that key.

        What the operator may do is signed with a key that no backend needs.
        """
        claims = tokens.claimed(token)
        for_operator = claims.get("scope") == "operator" or (
            claims.get("scope") == "login" and claims.get("sub") is None
        )
        return self._operator_key if for_operator else self._token_key

    def _refuse_revoked(self, grant: Grant) -> None:
        with self._lock:
            revoked = self._revocations()
        before = revoked.get(EVERYBODY, 0)
        if grant.seller is not None:
            before = max(before, revoked.get(grant.seller, 0))
        if grant.issued_at < before:
            raise PermissionError("token: revoked; ask for a new one")

    def _revocations(self) -> Mapping[str, int]:
        """Return before when tokens must have been issued to be refused, by seller.

        Why     asking SQLite takes a fifth of all that a lookup of a country takes. Every commit,
                any process's, writes its log: while that stays as it is, so does what was read.
        """
        try:
            log = os.stat(self._log)  # noqa: PTH116  # a Path's takes twice the time
        except FileNotFoundError:
            stamp = None
        else:
            # Two writes within a tick of the file system's clock look alike, so what was written
            # only now is asked for again.
            is_old = time.time_ns() - log.st_mtime_ns > LOG_TICK_NANOSECONDS
            stamp = (log.st_mtime_ns, log.st_size) if is_old else None
        if stamp is None or stamp != self._stamp:
            rows = self._connection.execute("select seller, issued_before from revoked")
            self._revoked = dict(rows.fetchall())
            self._stamp = stamp
        return self._revoked

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")
