"""Traces: every form in which an address or a text could lie in a file, and the search for them."""

import base64
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from urllib.parse import quote

ZEROS = bytes(4096)


@dataclass(frozen=True, slots=True)
class Trace:
    """One form of something that must not be kept."""

    of: str
    form: str
    content: bytes


def traces(texts: Iterable[str]) -> list[Trace]:
    """Return every form of addresses, and of other texts, that the search looks for."""
    found = []
    for text in texts:
        try:
            forms = dict(_address_forms(text))
        except ValueError:
            forms = dict(_text_forms("text", text))
        # Digits have no case and a short text few forms: each is looked for once.
        by_content = {content: form for form, content in reversed(forms.items())}
        found += [Trace(text, form, content) for content, form in by_content.items()]
    return found


def search(directory: Path, wanted: Iterable[Trace]) -> list[str]:
    """Return where below a directory a trace was found: in a file's bytes or in its name."""
    traces = list(wanted)
    found = []
    # Not by Path.rglob: it fails where the engine deletes a directory meanwhile.
    for path in sorted(
        Path(place, name)
        for place, folders, files in os.walk(directory)
        for name in (*folders, *files)
    ):
        content = str(path.relative_to(directory)).encode("utf-8", "surrogateescape") + b"\n"
        content += _content(path).replace(ZEROS, b"")  # a ballast file is nothing else
        for trace in traces:
            if trace.content in content:
                found.append(f"{trace.of} as {trace.form} in {path.relative_to(directory)}")
    return found


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else b""
    except FileNotFoundError:  # the engine merges and deletes while we look
        return b""


def _address_forms(text: str) -> Iterator[tuple[str, bytes]]:
    address = IPv6Address(text) if ":" in text else IPv4Address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        yield from _packed_forms("mapped", address.packed)
        address = address.ipv4_mapped
    if isinstance(address, IPv4Address):
        mapped = IPv6Address(b"\x00" * 10 + b"\xff\xff" + address.packed)
        yield from _text_forms("text", str(address))
        yield from _text_forms("text with dashes", str(address).replace(".", "-"))
        yield from _text_forms("text in zeros", ".".join(f"{part:03}" for part in address.packed))
        yield from _text_forms("mapped text", str(mapped).removeprefix("::ffff:"))
    else:
        yield from _text_forms("text", text)
        yield from _text_forms("shortest text", address.compressed)
        yield from _text_forms("whole text", address.exploded)
        # The network alone is what a visitor is known by.
        yield from _text_forms("network", ":".join(address.exploded.split(":")[:4]))
        yield from _packed_forms("network", address.packed[:8])
    yield from _packed_forms("address", address.packed)
    yield "decimal", str(int(address)).encode()


def _packed_forms(name: str, packed: bytes) -> Iterator[tuple[str, bytes]]:
    yield f"packed {name}", packed
    yield f"{name} packed backwards", packed[::-1]
    for way, some in (("", packed), (" backwards", packed[::-1])):
        yield f"hexadecimal {name}{way}", some.hex().encode()
        yield f"HEXADECIMAL {name}{way}", some.hex().upper().encode()
        yield f"spaced hexadecimal {name}{way}", some.hex(" ").encode()
        yield f"escaped {name}{way}", "".join(f"\\x{byte:02x}" for byte in some).encode()
        yield f"percent-encoded {name}{way}", "".join(f"%{byte:02X}" for byte in some).encode()
    yield from _base64_forms(f"packed {name}", packed)


def _text_forms(name: str, text: str) -> Iterator[tuple[str, bytes]]:
    raw = text.encode()
    for case, some in (("", raw), (" in capitals", raw.upper()), (" in lower case", raw.lower())):
        yield f"{name}{case}", some
        yield f"percent-encoded {name}{case}", quote(some, safe="").encode()
        yield f"wholly percent-encoded {name}{case}", "".join(f"%{b:02X}" for b in some).encode()
        yield f"hexadecimal {name}{case}", some.hex().encode()
        yield from _base64_forms(f"{name}{case}", some)
    yield f"wide {name}", text.encode("utf-16-le")


def _base64_forms(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what base64 makes of it at each of the three places where it may begin."""
    for shift in range(3):
        whole = base64.b64encode(b"\x00" * shift + content)
        # Letters that also depend on what stands before and behind are left out.
        first = (shift * 8 + 5) // 6
        last = (shift + len(content)) * 8 // 6
        inner = whole[first:last]
        if len(inner) >= 5:
            yield f"base64 {name}, {shift}", inner
            yield f"base64url {name}, {shift}", inner.replace(b"+", b"-").replace(b"/", b"_")
