"""Headers as ASGI and the parser give them: pairs of bytes, names in lower case."""

Headers = list[tuple[bytes, bytes]]


def joined(name: bytes, first: bytes, second: bytes) -> bytes:
    """Return two values of one header as one, as RFC 9110 section 5.3 has it.

    Cookies are joined with "; ": RFC 6265 section 4.2.1.
    """
    return first + (b"; " if name == b"cookie" else b",") + second
