"""The page tag: a signature that says this product page is one of the marketplace's.

It stops invented names, not inflation: it is public and can be replayed. Pure.
"""

import base64
import hashlib
import hmac
from collections import OrderedDict

SIGNATURE_CHARACTERS = 22
KNOWN_PAIRS_MAX = 50_000  # About 15 MB.


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


class SignedPairs:
    """Remembers pairs whose signature was right: a shop's pages are asked for again and again.

    Signatures are public, so this keeps nothing about a visitor, and a look-up that is faster for
    a known one tells nothing.
    """

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        """keys: those under which a signature is accepted, the current one first."""
        self._keys = keys
        self._known: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    def __call__(self, seller: str, product: str, signature: str) -> bool:
        """Return whether one of the keys signed the pair."""
        pair = (seller, product, signature)
        if pair in self._known:
            return True
        if not is_signed(seller, product, signature, self._keys):
            return False
        if len(self._known) >= KNOWN_PAIRS_MAX:
            self._known.popitem(last=False)
        self._known[pair] = None
        return True
