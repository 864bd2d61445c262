"""The beacon: a query or a body, read whole or refused with a sentence."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as some

from collector.beacon import FIELDS, SECONDS_MAX, URL_CHARACTERS_MAX, Beacon, from_body, from_query
from collector.hit import is_name

NAMES = some.text(min_size=1, max_size=128).filter(is_name)
PAGE = {"seller": "s", "product": "p", "sig": "x" * 22}


def said(beacon: Beacon) -> tuple[str, ...]:
    """Return what a beacon says of its page."""
    return beacon.fault, beacon.seller, beacon.product, beacon.signature, beacon.referrer


@given(NAMES, NAMES, some.text(max_size=500))
def test_a_page_is_read_back_as_it_was_written(seller: str, product: str, referrer: str) -> None:
    """From a form's encoding, from a script's encodeURIComponent, and from JSON: the same."""
    referrer = referrer.encode("utf-8", "replace").decode()
    fields = {"seller": seller, "product": product, "sig": "x", "ref": referrer}
    expected = ("", seller, product, "x", referrer)
    assert said(from_query(urlencode(fields).encode(), {})) == expected
    encoded = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())
    assert said(from_query(encoded.encode(), {})) == expected
    assert said(from_body(json.dumps(fields).encode(), {})) == expected


@given(some.binary(max_size=300))
def test_no_bytes_break_it(sent: bytes) -> None:
    """Whatever comes is a beacon or a fault; a fault says nothing of what came."""
    for beacon in (from_query(sent, {}), from_body(sent, {})):
        assert beacon.fault or beacon.seller
        if len(sent) > 12:
            assert sent.decode("latin-1") not in beacon.fault


@given(some.dictionaries(some.sampled_from(FIELDS), some.none() | some.integers() | some.text()))
def test_no_object_breaks_it(fields: dict[str, Any]) -> None:
    """Numbers for texts, nulls, surrogates: a beacon with good fields, or a fault."""
    beacon = from_body(json.dumps(fields).encode(), {})
    if not beacon.fault:
        assert is_name(beacon.seller)
        assert is_name(beacon.product)
        assert beacon.seconds is None or 0 <= beacon.seconds <= SECONDS_MAX


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"seller": ""}, "seller: missing; it must be a text of 1 to 128 characters"),
        ({"product": "a\nb"}, "product: must be 1 to 128 characters without control characters"),
        ({"sig": ""}, "sig: missing; it is 22 characters of base64url"),
        ({"ref": "x" * 4097}, f"ref: at most {URL_CHARACTERS_MAX} characters allowed"),
        ({"seconds": 1801}, f"seconds: must lie between 0 and {SECONDS_MAX}"),
        ({"seconds": True}, "seconds: must be a whole number"),
        ({"seconds": 1.5}, "seconds: must be a whole number"),
        ({"more": 1}, "body: only seller, product, sig, ref, url, seconds are known"),
    ],
)
def test_a_fault_names_the_field_and_what_would_do(fields: dict[str, Any], sentence: str) -> None:
    """The page's maker reads it in the browser's network panel."""
    assert from_body(json.dumps(PAGE | fields).encode(), {}).fault == sentence


def test_a_percent_sign_that_escapes_nothing_stands_for_itself() -> None:
    """As browsers have it: `100%` is a product's name, not an error."""
    beacon = from_query(b"seller=s&product=100%&sig=x&ref=a%2Gb", {})
    assert (beacon.product, beacon.referrer) == ("100%", "a%2Gb")


def test_a_field_given_twice_is_refused() -> None:
    """Which of two counts would be a way around a signature."""
    assert from_query(b"seller=s&seller=t&product=p&sig=x", {}).fault == "seller: given twice"
    assert from_body(b'{"seller":"s","seller":"t"}', {}).fault == "body: a field is given twice"
