"""The scripts as served: small, the same for everybody, and still what the source says."""

import gzip

import pytest

from collector.consent_managers import Format
from collector.page.javascript import shrink
from collector.page.scripts import STATIC, beacon_script, consent_script, texts_of

BEACON_BYTES_MAX = 1500


@pytest.mark.parametrize("format", list(Format))
def test_the_beacon_script_stays_small_for_every_consent_manager(format: Format) -> None:
    """At most 1,500 bytes on the wire, also where cookie and category have long names."""
    script = beacon_script(format, "marketplace_cookie_consent", "statistics-anonymous")
    assert len(script.compressed) <= BEACON_BYTES_MAX
    assert gzip.decompress(script.compressed) == script.plain


def test_a_browser_that_takes_gzip_gets_it_and_no_other_does() -> None:
    """The answer names its length, may be kept for an hour, and loads on isolated pages."""
    script = beacon_script("own")
    for accepted, encoded in ((b"gzip, deflate, br", True), (b"", False), (b"gzip;q=0", False)):
        status, headers, body = script.answer([(b"accept-encoding", accepted)])
        given = dict(headers)
        assert (status, given.get(b"content-encoding")) == (200, b"gzip" if encoded else None)
        assert body == (script.compressed if encoded else script.plain)
        assert given[b"content-length"] == b"%d" % len(body)
        assert given[b"cross-origin-resource-policy"] == b"cross-origin"
    status, _, body = script.answer([(b"if-none-match", script.etag)])
    assert (status, body) == (304, b"")


def test_the_beacon_script_stores_nothing_and_reads_little() -> None:
    """What a reader of the script would look for first."""
    script = beacon_script("own").plain.decode()
    assert "sendBeacon" in script
    for word in ("localStorage", "sessionStorage", "indexedDB", "userAgent", "screen", "language"):
        assert word not in script
    assert ".cookie=" not in script


def test_texts_stand_in_six_languages_and_none_lacks_one() -> None:
    """Whatever a page says in one language it says in all."""
    assert list(texts_of()) == ["en", "de", "fr", "nl", "el", "lv"]
    names = set(texts_of()["en"])
    for language, words in texts_of().items():
        assert set(words) == names, language
        assert "{controller}" in words["question"]
    assert all(words["removed"] in consent_script().plain.decode() for words in texts_of().values())


@pytest.mark.parametrize(
    ("source", "small"),
    [
        ("const long = 1; // why\nuse(long);\n", "const a=1;use(a);"),
        ("const long = { long: 1, };", "const a={long:1};"),
        ("const long = yes ? long : no;", "const a=yes?a:no;"),
        ("const long = other.long;", "const a=other.long;"),
        ("const found = /[{,]found,]/.test(found);", "const a=/[{,]found,]/.test(a);"),
        ('const long = "long  , }";', 'const a="long  , }";'),
        ("const long = `${long} ${it.long} long`;", "const a=`${a} ${it.long} long`;"),
        ("const { long } = it; use({ long });", "const{long}=it;use({long});"),
        ("const long = (first, a) => first / 2 + a;", "const b=(c,a)=>c/2+a;"),
        ("use(https, 'https://x');", "use(https,'https://x');"),
    ],
)
def test_shrinking_changes_names_and_blanks_only(source: str, small: str) -> None:
    """Keys, texts and regular expressions are the world's; only our own names are ours."""
    assert shrink(source) == small


def test_the_shrunk_scripts_are_much_smaller_than_their_sources() -> None:
    """Otherwise the shortener has stopped shortening."""
    for script, name in ((beacon_script("own"), "beacon.js"), (consent_script(), "consent.js")):
        words = len(str(texts_of())) if name == "consent.js" else 0
        assert len(script.plain) < 0.75 * (STATIC / name).stat().st_size + words
