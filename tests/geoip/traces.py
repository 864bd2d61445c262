"""Every way in which an address could lie about in a file."""

import base64
from ipaddress import IPv4Address, ip_address
from urllib.parse import quote


def traces(text: str) -> dict[str, bytes]:
    """Return the forms of an address to search for, by name; searched without regard to case."""
    address = ip_address(text)
    forms = {
        "text": str(address).encode(),
        "long text": address.exploded.encode(),
        "packed": address.packed,
        "hexadecimal": address.packed.hex().encode(),
        "integer": str(int(address)).encode(),
        "percent-encoded": quote(text, safe="").encode(),
        "every byte percent-encoded": "".join(f"%{byte:02x}" for byte in text.encode()).encode(),
    }
    for name, content in (("text", text.encode()), ("packed", address.packed)):
        for shift in range(3):
            # Whatever stands before it, one of three alignments is in the base64.
            encoded = base64.b64encode(b"\0" * shift + content)
            start = -(-shift * 8 // 6)
            end = (shift + len(content)) * 8 // 6
            forms[f"base64 of {name}, {shift}"] = encoded[start:end]
    if isinstance(address, IPv4Address):
        forms["mapped"] = f"::ffff:{address.packed.hex(':', 2)}".encode()
        forms["reversed"] = ".".join(reversed(text.split("."))).encode()
    return forms


def found(content: bytes, text: str) -> set[str]:
    """Return the names of the forms of an address that are in `content`."""
    small = content.lower()
    return {
        name
        for name, form in traces(text).items()
        if (form in content if name.startswith(("packed", "base64")) else form.lower() in small)
    }
