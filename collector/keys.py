"""Keys: one secret, one derived key per purpose.

Nobody outside needs the secret itself: a backend gets a derived key, which opens one door and
can't be turned back into the secret or into the key of another door.
"""

import base64
import hashlib
import hmac
from typing import Literal, get_args

Purpose = Literal["page-tag", "token", "operator", "visitor", "session"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

SECRET_BYTES_MIN = 32


def derive(secret: bytes, purpose: Purpose) -> bytes:
    """Return the key for one purpose.

    Shape   32 bytes; equal inputs give equal outputs.
    Why     HKDF separates the purposes: a leaked page-tag key signs no token.
    Errors  AssertionError when the secret is shorter than 32 bytes: settings refuse it earlier.
    Source  RFC 5869 with SHA-256 and no salt; one block is enough for 32 bytes.
    """
    assert len(secret) >= SECRET_BYTES_MIN, "the secret was not checked"
    extracted = hmac.digest(bytes(32), secret, hashlib.sha256)
    info = b"collector/" + purpose.encode() + b"/1"
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)


def base64url(key: bytes) -> str:
    """Return bytes as unpadded base64url, the form in which backends keep a key."""
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()
