"""Whatever is sent: an answer or a refusal, and a refusal says nothing of it."""

import contextlib
import json
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from geoip import address, names, question
from geoip.address import is_public, parse, plain
from geoip.part import PARTS
from geoip.question import Malformed
from geoip.territory import COUNTRIES, territory

LONG_ENOUGH = 6  # A shorter piece may be in a sentence by chance.
REFUSALS = {
    "",
    "must have 1 to 100 characters",
    "has a port above 65535",
    "has brackets around something that is not an IPv6 address",
    "must be an IPv4 or IPv6 address",
}
ADDRESSES = some.one_of(some.ip_addresses(v=4), some.ip_addresses(v=6))
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text() |
    ADDRESSES.map(str),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=20,
)  # fmt: skip
FIELDS = some.sampled_from(["ip", "chosen", "postcode", "lang", "lookups", "country", "ips"])


@given(some.text())
def test_any_text_is_an_address_or_refused_unquoted(text: str) -> None:
    """No third way, and no piece of it in the sentence."""
    said = ""
    try:
        parse(text)
    except ValueError as error:
        said = str(error)
    assert said in REFUSALS  # sentences that were all written before the text was


@given(ADDRESSES)
def test_every_address_is_read_back_from_every_spelling(address: IPv4Address | IPv6Address) -> None:
    """Short and long, in capitals, in brackets, with a port: the same address."""
    spelled = [str(address), address.exploded, str(address).upper()]
    if address.version == 6:
        spelled += [f"[{address}]", f"[{address}]:443", f"{address}%eth0"]
    else:
        spelled += [f"{address}:80"]
        for inside in (f"::ffff:{address}", f"64:ff9b::{address}"):
            assert plain(parse(inside)) == address
    assert {parse(text) for text in spelled} == {address}
    assert is_public(address) in (True, False)


SENTENCES = "".join(Path(module.__file__ or "").read_text() for module in (question, address))


@given(some.dictionaries(FIELDS, JSON) | JSON)
def test_any_json_is_a_question_or_refused_unquoted(body: Any) -> None:
    """Numbers where text belongs, depth, odd Unicode: Malformed or a question, nothing else; and
    no address that was inside comes back."""
    sent = json.dumps(body).encode()
    for reader in (question.read, question.read_choice):
        said = ""
        try:
            reader(sent)
        except Malformed as error:
            said = str(error)
        # Hypothesis also tries words from our own sentences.
        assert all(
            text not in said or text in SENTENCES
            for text in texts(body)
            if len(text) >= LONG_ENOUGH
        )


@given(some.binary())
def test_any_bytes_are_a_question_or_refused(body: bytes) -> None:
    """Not JSON, not UTF-8, nothing at all."""
    for reader in (question.read, question.read_choice):
        with contextlib.suppress(Malformed):
            reader(body)


@given(some.sampled_from(sorted(COUNTRIES)), some.text(max_size=16))
def test_any_postcode_leaves_a_certain_standing(country: str, postcode: str) -> None:
    """With a postcode nothing is asked any more, and a country without parts never changes."""
    found = territory(country, postcode)
    assert (found.vat.ask, found.customs.ask) == (None, None)
    if country not in {part.country for part in PARTS}:
        assert found == territory(country)


@given(some.text())
def test_any_accept_language_is_a_language(header: str) -> None:
    """Browsers send odd ones, and attackers odder ones."""
    assert names.negotiated(header.encode()) in names.LANGUAGES


def texts(value: Any) -> list[str]:
    """Return every text in a JSON value; field names that are ours don't count."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    return []
