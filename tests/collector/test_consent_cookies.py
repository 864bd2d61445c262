"""What a consent manager's cookie says, from headers shaped as browsers send them."""

from urllib.parse import quote

import pytest

from collector.consent_cookies import (
    HEADER_BYTES_MAX,
    VALUE_BYTES_MAX,
    consent_reader,
    cookie_names,
    cookie_values,
)
from collector.consent_managers import Choice
from tests.collector.consent_cookie_examples import (
    COOKIEYES,
    DAMAGED,
    GRANTED,
    RAW_V2,
    REFUSED,
    UNDECIDED,
    onetrust,
)


def read(format: str, cookies: str, cookie: str = "", category: str = "") -> Choice:
    """Read one header with one manager's settings."""
    return consent_reader(format, cookie, category)(cookies.encode("latin-1"))


@pytest.mark.parametrize(("format", "cookies"), GRANTED)
def test_a_granted_choice_is_read_as_its_manager_writes_it(format: str, cookies: str) -> None:
    """The visitor clicked yes; whatever stands beside the cookie, we may count."""
    assert read(format, cookies) is Choice.GRANTED
    assert read(format, f"session=8f2b; {cookies}; theme=dark") is Choice.GRANTED


@pytest.mark.parametrize(("format", "cookies"), REFUSED)
def test_a_refusal_is_read_as_its_manager_writes_it(format: str, cookies: str) -> None:
    """The visitor clicked no, and that is told apart from a visitor who said nothing."""
    assert read(format, cookies) is Choice.REFUSED
    assert read(format, f"session=8f2b; {cookies}; theme=dark") is Choice.REFUSED


@pytest.mark.parametrize(("format", "cookies"), UNDECIDED)
def test_who_has_not_clicked_has_not_chosen(format: str, cookies: str) -> None:
    """The manager's cookie is there with its region's defaults; nobody said yes."""
    assert read(format, cookies) is Choice.NONE


@pytest.mark.parametrize(("format", "cookies"), DAMAGED)
def test_a_damaged_cookie_is_no_consent(format: str, cookies: str) -> None:
    """Half a cookie, a doubled key, a word in the wrong type: we don't guess in our favour."""
    assert read(format, cookies) is Choice.NONE


@pytest.mark.parametrize(
    ("format", "cookies"), [example for example in REFUSED if "; " not in example[1]]
)
def test_a_refusal_cut_short_never_becomes_a_consent(format: str, cookies: str) -> None:
    """Somebody cuts the cookie anywhere: what remains refuses or says nothing."""
    for end in range(len(cookies)):
        assert read(format, cookies[:end]) is not Choice.GRANTED


def test_a_raw_json_cookie_hides_no_other_cookie() -> None:
    """cookieconsent writes quotes, commas and braces raw; ours stands before or behind it."""
    for cookies in (
        f"{RAW_V2}; statistics_consent=granted",
        f"statistics_consent=granted; {RAW_V2}",
    ):
        assert read("own", cookies) is Choice.GRANTED
        assert read("cookieconsent", cookies) is Choice.GRANTED


@pytest.mark.parametrize(
    ("values", "choice"),
    [
        (("granted", "refused"), Choice.REFUSED),
        (("refused", "granted"), Choice.REFUSED),
        (("granted", "damaged"), Choice.NONE),
        (("refused", "damaged"), Choice.REFUSED),
        (("granted", "granted.2026-11-22.1"), Choice.GRANTED),
    ],
)
def test_two_cookies_that_disagree_are_no_consent(values: tuple[str, str], choice: Choice) -> None:
    """One cookie of the host and one of its domain: the browser sends both under one name."""
    header = "; ".join(f"statistics_consent={value}" for value in values)
    assert read("own", header) is choice


def test_complianz_cookies_of_host_and_domain_must_agree() -> None:
    """`cmplz_` and `cmplz_rt_` are two names for one answer."""
    assert read("complianz", "cmplz_statistics=allow; cmplz_rt_statistics=deny") is Choice.REFUSED
    assert read("complianz", "cmplz_statistics=allow; cmplz_rt_statistics=allow") is Choice.GRANTED


@pytest.mark.parametrize(
    "header",
    [
        b"xstatistics_consent=granted",
        b"note=statistics_consent=granted",
        b"note=a statistics_consent=granted",
        b"Statistics_Consent=granted",
        b"statistics_consent",
        b"statistics_consent_old=granted",
    ],
)
def test_only_the_whole_name_is_ours(header: bytes) -> None:
    """A longer name that ends like ours, or a value that quotes us, is another cookie."""
    assert consent_reader("own")(header) is Choice.NONE
    assert consent_reader("own")(header + b"; statistics_consent=refused") is Choice.REFUSED


def test_values_are_found_in_order_and_without_blanks() -> None:
    """The splitter that every reader shares."""
    header = b"a=1;b= 2 ;\ta=3; a=; ba=4; c=a=5"
    assert cookie_values(header, b"a") == [b"1", b"3", b""]
    assert cookie_values(header, b"b") == [b"2"]


def test_a_header_or_value_past_its_limit_holds_no_consent() -> None:
    """Browsers send neither; who does gets no work done and no visit counted."""
    granted = b"statistics_consent=granted"
    fits = b"a=" + b"x" * (HEADER_BYTES_MAX - len(granted) - 4) + b"; " + granted
    assert consent_reader("own")(fits) is Choice.GRANTED
    assert consent_reader("own")(b"x" + fits) is Choice.NONE
    filler = ",".join(f"k{number}:yes" for number in range(VALUE_BYTES_MAX // 6))
    assert read("cookieyes", f"cookieyes-consent=action:yes,analytics:yes,{filler}") is Choice.NONE


def test_cookie_and_category_are_the_operators_to_choose() -> None:
    """Sites rename cookies and number their categories; the settings follow them."""
    assert read("own", "stats=granted", "stats") is Choice.GRANTED
    assert read("onetrust", onetrust("2%3A1%2C3%3A1%2C1%3A1"), category="3") is Choice.GRANTED
    assert read("onetrust", onetrust("2%3A1%2C3%3A0"), category="3") is Choice.REFUSED
    assert (
        read(
            "cookieyes",
            COOKIEYES.format(consent="yes", action="yes", analytics="yes"),
            category="performance",
        )
        is Choice.REFUSED
    )
    assert read("klaro", "consents=" + quote('{"matomo":true}'), "consents", "matomo") is (
        Choice.GRANTED
    )
    assert (
        read("wp-consent-api", "wp_consent_statistics=allow", category="marketing") is Choice.NONE
    )
    assert cookie_names("complianz", category="marketing") == (
        "cmplz_marketing",
        "cmplz_rt_marketing",
    )


def test_a_plain_cookie_grants_by_its_one_value() -> None:
    """A shop with a banner of its own names the cookie and the value that means yes."""
    assert read("plain", "analytics_ok=yes", "analytics_ok", "yes") is Choice.GRANTED
    assert read("plain", "analytics_ok=no", "analytics_ok", "yes") is Choice.REFUSED
    assert read("plain", "analytics_ok=pending", "analytics_ok", "yes") is Choice.NONE
    assert read("plain", "level=2", "level", "2|1") is Choice.GRANTED
    assert read("plain", "level=1", "level", "2|1") is Choice.REFUSED
    assert read("plain", "level=0", "level", "2|1") is Choice.NONE
    assert read("plain", "other=yes", "analytics_ok", "yes") is Choice.NONE


@pytest.mark.parametrize(
    "category", ['{"stats":1}|{"stats":0}', "%7B%22stats%22%3A1%7D|%7B%22stats%22%3A0%7D"]
)
def test_a_plain_cookie_may_be_percent_encoded(category: str) -> None:
    """Cookies are written by libraries that encode what they are given, and settings by people
    who copy either form."""
    for written, choice in (
        ('{"stats":1}', Choice.GRANTED),
        (quote('{"stats":1}'), Choice.GRANTED),
        (quote('{"stats":0}'), Choice.REFUSED),
        (quote(quote('{"stats":1}')), Choice.NONE),
        ("%7B%22stats%22%3A1%7", Choice.NONE),
        ("%FF", Choice.NONE),
    ):
        assert read("plain", f"ok={written}", "ok", category) is choice


@pytest.mark.parametrize(
    ("format", "cookie", "category", "message"),
    [
        ("quantcast", "", "", "CONSENT_FORMAT: not one of own, cookiebot"),
        ("own", "two words", "", "CONSENT_COOKIE: not a cookie's name"),
        ("complianz", "", "a b", "CONSENT_COOKIE: not a cookie's name"),
        ("plain", "", "yes", "CONSENT_FORMAT: plain needs"),
        ("plain", "analytics_ok", "", "CONSENT_FORMAT: plain needs"),
    ],
)
def test_a_setting_that_cannot_work_says_so_at_the_start(
    format: str, cookie: str, category: str, message: str
) -> None:
    """Better one sentence at the start than a day without a visit."""
    with pytest.raises(ValueError, match=message):
        consent_reader(format, cookie, category)
