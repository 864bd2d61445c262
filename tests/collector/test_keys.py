"""Keys: the vectors that a backend in another language can check itself against."""

import pytest

from collector.keys import PURPOSES, Purpose, base64url, derive

SECRET = b"0123456789abcdef0123456789abcdef"
# openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt key:$SECRET \
#     -kdfopt info:collector/$PURPOSE/1 HKDF
VECTORS: dict[Purpose, str] = {
    "page-tag": "5a136b67a078fb66e142efb2634da23a3054bad6a8c919df3899966cce574e0d",
    "token": "165895566ef85cdc811d3f6ae1c4d6810225b51e850250a13f6d80bfbf5d9809",
    "operator": "857e03dae1a4a3a3bfbdc52bf0b142f0d858e82b706375ed1ea96534d9385f2a",
    "visitor": "42b976acd3f89ff85c1ff22c935a151d8da30e3faf384448681b77a7fd694768",
    "session": "5926e0a92bf4c1ac08aaf8250ad9fb936f057ec7d8585be5702adaeb9c232822",
}


def test_every_purpose_has_a_vector() -> None:
    """A new purpose comes with what another language must get for it."""
    assert set(VECTORS) == set(PURPOSES)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_key_is_what_openssl_derives(purpose: Purpose) -> None:
    """A marketplace's backend may derive nothing itself, but what it is given is plain HKDF."""
    assert derive(SECRET, purpose).hex() == VECTORS[purpose]


def test_no_key_is_another_ones() -> None:
    """A leaked page-tag key signs no token, and one more bit of secret changes every key."""
    other = bytes([SECRET[0] ^ 1]) + SECRET[1:]
    keys = [derive(secret, purpose) for secret in (SECRET, other) for purpose in PURPOSES]
    assert len(set(keys)) == 2 * len(PURPOSES)
    assert {len(key) for key in keys} == {32}


def test_a_longer_secret_is_used_to_its_end() -> None:
    """Nothing behind the 32nd byte is ignored, nor behind the hash's block of 64."""
    secrets = [SECRET * 3, SECRET * 3 + b"x", SECRET * 2, SECRET]
    assert len({derive(secret, "token") for secret in secrets}) == len(secrets)


def test_a_short_secret_never_becomes_a_key() -> None:
    """Settings refuse it with a sentence; should that fail, nothing is signed with it."""
    with pytest.raises(AssertionError):
        derive(SECRET[:31], "token")


def test_a_key_is_printed_as_backends_read_it() -> None:
    """Unpadded base64url, which every language's library reads."""
    assert base64url(bytes(range(250, 256)) + b"\x00") == "-vv8_f7_AA"
