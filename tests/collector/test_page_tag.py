"""The page tag: what a marketplace's backend signs, in whatever language."""

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.keys import derive
from collector.page_tag import SIGNATURE_CHARACTERS, SignedPairs, is_signed, sign
from tests.collector.test_keys import SECRET

KEY = derive(SECRET, "page-tag")
OTHER_KEY = derive(SECRET + b"x", "page-tag")
# printf "$SELLER\n$PRODUCT" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$KEY -binary |
#     base64 | tr '+/' '-_' | cut -c1-22
VECTORS = [
    ("anna", "olive-oil", "k2Hac2gg60QmOiEIjM93BK"),
    ("Ελιά", "cafe\u0301 🫒", "aE3Ro-Lh-uCM81dIQlLx5k"),
    ("Ελιά", "caf\u00e9 🫒", "WEAJajQdQkqN81guEMRf4B"),
    ("a", "b", "sjKG_B811Z87cJCgH5Wfuw"),
]
NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=128)


@pytest.mark.parametrize(("seller", "product", "signature"), VECTORS, ids=[v[2] for v in VECTORS])
def test_a_signature_is_what_openssl_signs(seller: str, product: str, signature: str) -> None:
    """UTF-8 as sent: letters that look alike but are composed differently are different names."""
    assert sign(seller, product, KEY) == signature
    assert is_signed(seller, product, signature, (KEY,))


@given(NAMES, NAMES)
def test_a_signature_is_the_beginning_of_an_hmac(seller: str, product: str) -> None:
    """For every pair of names that may be: 22 characters, and only this key makes them."""
    digest = hmac.new(KEY, b"\n".join([seller.encode(), product.encode()]), "sha256").digest()
    signature = sign(seller, product, KEY)
    assert signature == base64.urlsafe_b64encode(digest).decode()[:SIGNATURE_CHARACTERS]
    assert not is_signed(seller, product, signature, (OTHER_KEY,))


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "k2Hac2gg60QmOiEIjM93B",
        "k2Hac2gg60QmOiEIjM93BKA",
        "K2Hac2gg60QmOiEIjM93BK",
        " k2Hac2gg60QmOiEIjM93BK",
        "k2Hac2gg60QmOiEIjM93BK\n",
        "k2Hac2gg60QmOiEIjM93B\u212a",  # the sign of kelvin, which lower-cases to a k
    ],
)
def test_a_signature_that_is_nearly_right_is_wrong(signature: str) -> None:
    """One character less, more or other; blanks; letters that only look right."""
    assert is_signed("anna", "olive-oil", "k2Hac2gg60QmOiEIjM93BK", (KEY,))
    assert not is_signed("anna", "olive-oil", signature, (KEY,))


def test_names_cannot_be_moved_across_the_border() -> None:
    """Nobody can pass a part of the seller off as the product."""
    assert sign("ab", "c", KEY) != sign("a", "bc", KEY)
    assert not is_signed("olive-oil", "anna", sign("anna", "olive-oil", KEY), (KEY,))


def test_pages_signed_under_the_previous_secret_still_count() -> None:
    """A new secret doesn't take down pages that a cache still serves; without SECRET_PREVIOUS, or
    under a third key, they are strangers' pages."""
    old = sign("anna", "olive-oil", OTHER_KEY)
    assert is_signed("anna", "olive-oil", old, (KEY, OTHER_KEY))
    assert not is_signed("anna", "olive-oil", old, (KEY,))
    assert not is_signed("anna", "olive-oil", old, ())


def test_a_remembered_pair_vouches_for_no_other() -> None:
    """The pairs that a worker remembers are good only for their own signature."""
    pairs = SignedPairs((KEY,))
    for _ in range(2):
        assert pairs("anna", "olive-oil", "k2Hac2gg60QmOiEIjM93BK")
        assert not pairs("anna", "olive-oil", "sjKG_B811Z87cJCgH5Wfuw")
        assert not pairs("anna", "olives", "k2Hac2gg60QmOiEIjM93BK")
        assert not pairs("ann", "aolive-oil", "k2Hac2gg60QmOiEIjM93BK")


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop of a million products doesn't fill a worker's memory, and a forgotten pair is good
    again when it comes back; wrong signatures are never kept at all."""
    monkeypatch.setattr("collector.page_tag.KNOWN_PAIRS_MAX", 3)
    pairs = SignedPairs((KEY,))
    signed = [("anna", str(n), sign("anna", str(n), KEY)) for n in range(10)]
    for each in [*signed, ("anna", "wrong", "A" * 22), *signed]:
        assert pairs(*each) == (each in signed)
        assert len(pairs._known) <= 3
