"""The source: a domain or a campaign's word, and never an address."""

import pytest

from collector.source import Sources


@pytest.fixture(scope="module")
def sources() -> Sources:
    """The reader; its list weighs a megabyte."""
    return Sources()


@pytest.mark.parametrize(
    ("referrer", "source"),
    [
        ("", "direct"),
        ("https://www.search.example.org/find?q=oil", "example.org"),
        ("https://forum.example.co.uk:8443/t/1#x", "example.co.uk"),
        ("HTTP://user:secret@News.Example.COM/", "example.com"),
        ("https://bücher.example.com/", "example.com"),
        ("android-app://com.example.app/", "(other)"),
        ("https://localhost/", "(other)"),
        ("https://co.uk/", "(other)"),
        ("no address", "(other)"),
        ("https://" + "a." * 200 + "example.org/", "(other)"),
    ],
)
def test_a_referrer_becomes_its_registrable_domain(
    sources: Sources, referrer: str, source: str
) -> None:
    """No path, no query, no subdomain: who sent the visitor, not which page or person."""
    assert sources(referrer, "") == (source, "")


@pytest.mark.parametrize(
    "referrer",
    [
        "http://203.0.113.7/",
        "http://203.0.113.7:8080/x",
        "http://[2001:db8::1]/",
        "http://203-0-113-7.ip.linodeusercontent.com/",
    ],
)
def test_an_address_is_no_source(sources: Sources, referrer: str) -> None:
    """Also where a hosting firm's suffix makes the address the registered part."""
    assert sources(referrer, "") == ("(other)", "")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("utm_source=Newsletter&utm_campaign=spring-26", ("newsletter", "spring-26")),
        ("utm_campaign=may.sale", ("example.org", "may.sale")),
        ("utm_source=203.0.113.7", ("(other)", "")),
        ("utm_source=from-203.0.113.7&utm_campaign=ip_203_0_113_7_x", ("(other)", "(other)")),
        ("utm_campaign=id123456", ("example.org", "(other)")),
        ("utm_campaign=ann%40example.org", ("example.org", "(other)")),
        (f"utm_campaign={'a' * 41}", ("example.org", "(other)")),
    ],
)
def test_a_campaign_is_a_word_or_other(sources: Sources, query: str, said: tuple[str, str]) -> None:
    """utm_source beats the referrer; what could number or name a person is `(other)`."""
    assert sources("https://example.org/", f"https://shop.example/p?{query}") == said
