"""The page tag: a signature that says this product page is one of the marketplace's.

It stops invented names, not inflation: it is public and can be replayed. Pure.
"""

import base64
import hashlib
import hmac

SIGNATURE_CHARACTERS = 22


def sign(seller: str, product: str, key: bytes) -> str:
    """Return the signature of a pair, as the backend writes it into the page.

    Shape   22 characters of unpadded base64url: 132 bits.
    Why     cut to keep the page short; 132 bits can't be guessed over a network.
    Source  RFC 2104 (HMAC-SHA256), RFC 4648 section 5.
    """
    digest = hmac.digest(key, f"{seller}\n{product}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest)[:SIGNATURE_CHARACTERS].decode()


def is_signed(seller: str, product: str, signature: str, keys: tuple[bytes, ...]) -> bool:
    """Return whether one of the keys signed the pair. Compares in constant time."""
    given = signature.encode()
    return any(hmac.compare_digest(sign(seller, product, key).encode(), given) for key in keys)
