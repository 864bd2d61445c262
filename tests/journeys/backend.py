"""What a marketplace's backend signs, written without our code: a mistake in ours would show."""

import base64
import hashlib
import hmac
import json
import time


def page_tag(secret: str, seller: str, product: str) -> str:
    """Return the signature that a product's page carries."""
    message = f"{seller}\n{product}".encode()
    return encoded(hmac.digest(key(secret, "page-tag"), message, hashlib.sha256))[:22]


def key(secret: str, purpose: str) -> bytes:
    """Return a derived key: HKDF-SHA256 without a salt."""
    extracted = hmac.digest(bytes(32), secret.encode(), "sha256")
    return hmac.digest(extracted, f"collector/{purpose}/1".encode() + b"\x01", "sha256")


def token(secret: str, purpose: str = "token", **claims: object) -> str:
    """Return a token of an hour; claims add to the usual ones or replace them, None leaves out."""
    now = int(time.time())
    usual = {"aud": "collector", "iat": now, "exp": now + 3600}
    all_claims = {name: claim for name, claim in (usual | claims).items() if claim is not None}
    return signed(secret, json.dumps(all_claims), purpose)


def signed(secret: str, claims: str, purpose: str) -> str:
    """Return a JWT with these claims, byte for byte, under the key of a purpose."""
    parts = [encoded(each.encode()) for each in ('{"alg":"HS256","typ":"JWT"}', claims)]
    message = ".".join(parts)
    signature = hmac.digest(key(secret, purpose), message.encode(), hashlib.sha256)
    return f"{message}.{encoded(signature)}"


def encoded(content: bytes) -> str:
    """Return unpadded base64url."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
