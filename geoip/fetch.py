"""Fetching a file over HTTP: bounded in size and time, and never telling the address it used.

A download address may hold a licence key, so errors name the host alone.
"""

import base64
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.parse import urlsplit

SILENCE_SECONDS_MAX = 30.0
DOWNLOAD_SECONDS_MAX = 900.0
CHUNK_BYTES = 256 * 1024
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Unfetched(Exception):
    """Nothing came, or not all of it; the sentence says why. `status` is HTTP's, or None."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account and its licence key, sent to the first host only."""

    account: str
    licence_key: str

    def header(self) -> str:
        """Return the Authorization header's value."""
        pair = f"{self.account}:{self.licence_key}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


def require_safe(url: str) -> str:
    """Return the host of an address that may be fetched from.

    Errors  Unfetched: only https will do, or http on this machine.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)):
        raise Unfetched("must be an https:// address")
    return host


def fetch(url: str, *, bytes_max: int, credentials: Credentials | None = None) -> bytes:
    """Return what is at `url`.

    Errors  Unfetched: an unsafe address or redirect, an HTTP error, silence, more than
            `bytes_max` bytes, fewer than were announced.
    """
    host = require_safe(url)
    request = urllib.request.Request(url, headers={"User-Agent": "collector"})  # noqa: S310  # https only, see above
    if credentials is not None:
        # "Unredirected": a redirect to a storage host must not carry the licence key there.
        request.add_unredirected_header("Authorization", credentials.header())
    deadline = time.monotonic() + DOWNLOAD_SECONDS_MAX
    try:
        with _OPENER.open(request, timeout=SILENCE_SECONDS_MAX) as response:
            return _all_of(response, response.headers, host, bytes_max, deadline)
    except urllib.error.HTTPError as error:
        error.close()
        raise Unfetched(f"{host} answered {error.code}", error.code) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, Unfetched):
            raise error.reason from None
        raise Unfetched(f"{host} can't be reached") from None
    except (OSError, HTTPException):
        raise Unfetched(f"{host} broke off") from None


def _all_of(
    response: IO[bytes], headers: HTTPMessage, host: str, bytes_max: int, deadline: float
) -> bytes:
    announced = headers.get("Content-Length", "")
    content = bytearray()
    while chunk := response.read(CHUNK_BYTES):
        content += chunk
        if len(content) > bytes_max:
            raise Unfetched(f"{host} sent more than {bytes_max} bytes")
        if time.monotonic() > deadline:
            raise Unfetched(f"{host} took longer than {DOWNLOAD_SECONDS_MAX:.0f} seconds")
    if announced.isdecimal() and len(content) != int(announced):
        raise Unfetched(f"{host} announced {announced} bytes and sent {len(content)}")
    return bytes(content)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to an address that could have been asked for in the first place."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        try:
            require_safe(newurl)
        except Unfetched:
            fp.close()
            raise Unfetched(f"{req.host} redirects to an address that is not https://") from None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = urllib.request.build_opener(_SafeRedirects)
