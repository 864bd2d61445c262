"""Settings: what each may be, and the sentence for what it may not."""

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from collector import networks
from collector.settings import (
    PREFIX,
    BadSettings,
    Settings,
    bind_parts,
    is_loopback,
    read,
    trusted_networks,
)

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have settings of their own."""
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set variables without their prefix and read the settings."""

    def reading(**values: str) -> Settings:
        for name, value in values.items():
            monkeypatch.setenv(PREFIX + name, value)
        return read(os.environ)[0]

    return reading


def test_without_a_variable_every_setting_is_the_contracts(env: Any) -> None:
    """A start without any setting listens on loopback, honours refusals and keeps to UTC."""
    found = env()
    assert (found.data_dir, found.salts) == (Path("data"), Path("data/salts"))
    assert (found.beacons_bind, found.reports_bind) == ("127.0.0.1:8000", "127.0.0.1:8001")
    assert found.beacons_public_url == "http://127.0.0.1:8000"
    assert found.reports_public_url == "http://127.0.0.1:8001"
    assert (found.workers, found.timezone, found.origins) == (1, ZoneInfo("UTC"), ())
    assert (found.honour_gpc, found.honour_dnt) == (True, True)
    assert (found.visitor_views_max, found.queue_max) == (200, 20_000)
    assert (found.today_step_minutes, found.breakdown_min, found.keep_counts_days) == (15, 5, 0)
    assert (found.consent_format, found.consent_cookie_name) == ("own", "statistics_consent")
    assert (found.secret, found.secret_previous, found.log_level) == (None, None, "info")


def test_an_empty_variable_means_the_default(env: Any) -> None:
    """A compose file passes `${SALT_DIR:-}` on: salts must not land in whatever directory the
    process was started in, nor may an empty secret be one."""
    names = [name.upper() for name in Settings.model_fields]
    assert env(**dict.fromkeys(names, "")) == env()


@pytest.mark.parametrize(
    ("name", "value", "attribute", "expected"),
    [
        ("TIMEZONE", "Europe/Athens", "timezone", ZoneInfo("Europe/Athens")),
        ("ORIGINS", " https://a.example , http://b.example:8080", "origins", None),
        ("BEACONS_URL", "https://stats.example.com/", "beacons_url", "https://stats.example.com"),
        ("PATH_PREFIX", "/stats/", "path_prefix", "/stats"),
        ("BEACONS_BIND", "[::1]:9000", "beacons_bind", "[::1]:9000"),
        ("HONOUR_DNT", "false", "honour_dnt", False),
        ("KEEP_COUNTS_DAYS", "62", "keep_counts_days", 62),
        ("TODAY_STEP_MINUTES", "0", "today_step_minutes", 0),
        ("CONSENT_COOKIE_DOMAIN", ".example.com", "consent_cookie_domain", ".example.com"),
        ("SECRET", SECRET, "secret", SECRET),
    ],
)
def test_a_good_value_is_taken(
    env: Any, name: str, value: str, attribute: str, expected: object
) -> None:
    """As written, but for blanks around a list's parts and a slash at the end."""
    if expected is None:
        expected = ("https://a.example", "http://b.example:8080")
    assert getattr(env(**{name: value}), attribute) == expected


ORIGIN = (
    "must list origins such as https://shop.example, in lower case, without a path and without *"
)
USUAL_PORT = "must list origins without the port that is usual anyway"
BIND = "must be host:port, for example 127.0.0.1:8000"
URL = "must be a URL such as https://stats.example.com"
SHORT = "shorter than 32 bytes; `openssl rand -hex 32` will do"
DSN = "must be clickhouse://user:password@host:8123/database"
NETWORKS = "must list networks, for example 10.0.0.0/8,fd00::/8, or be none"
EVERYBODY = (
    "everybody's network would believe an address that anyone can forge; "
    "name your proxies' networks, for example 10.0.0.0/8"
)
BAD = [
    ("SECRET", "hunter2-hunter2-hunter2-hunter2", SHORT),
    ("SECRET_PREVIOUS", "x", SHORT),
    ("BEACONS_BIND", "8000", BIND),
    ("BEACONS_BIND", ":8000", BIND),
    ("REPORTS_BIND", "127.0.0.1", BIND),
    ("REPORTS_BIND", "127.0.0.1:http", BIND),
    ("REPORTS_BIND", "127.0.0.1:65536", BIND),
    ("BEACONS_URL", "stats.example.com", URL),
    ("REPORTS_URL", "ftp://stats.example.com", URL),
    ("SELLER_AREA_URL", "javascript:alert(1)", URL),
    ("CLICKHOUSE_DSN", "localhost:8123", DSN),
    ("CLICKHOUSE_DSN", "clickhouse://", DSN),
    ("PATH_PREFIX", "stats", "must be a path such as /stats"),
    ("PATH_PREFIX", "/a b", "must be a path such as /stats"),
    ("WORKERS", "0", "Input should be greater than or equal to 1"),
    ("WORKERS", "two", "Input should be a valid integer, unable to parse string as an integer"),
    ("TIMEZONE", "Mars/Olympus", "must be an IANA time zone such as Europe/Athens"),
    ("TIMEZONE", "../../etc/passwd", "must be an IANA time zone such as Europe/Athens"),
    ("TRUSTED_PROXIES", "*", EVERYBODY),
    ("TRUSTED_PROXIES", "10.0.0.0/8, *", EVERYBODY),
    ("TRUSTED_PROXIES", "0.0.0.0/0", EVERYBODY),
    ("TRUSTED_PROXIES", "10.0.0.0/8,::/0", EVERYBODY),
    ("TRUSTED_PROXIES", "::ffff:0:0/96", EVERYBODY),
    ("TRUSTED_PROXIES", "proxy.example", NETWORKS),
    ("TRUSTED_PROXIES", "10.0.0.1/8", NETWORKS),
    ("TRUSTED_PROXIES", "none, 10.0.0.0/8", NETWORKS),
    ("ORIGINS", "*", ORIGIN),
    ("ORIGINS", "https://*.example", ORIGIN),
    ("ORIGINS", "shop.example", ORIGIN),
    ("ORIGINS", "https://shop.example/", ORIGIN),
    ("ORIGINS", "https://shop.example/path", ORIGIN),
    ("ORIGINS", "https://Shop.example", ORIGIN),
    ("ORIGINS", "https://user@shop.example", ORIGIN),
    ("ORIGINS", "https://", ORIGIN),
    ("ORIGINS", "null", ORIGIN),
    ("ORIGINS", "https://shop.example:443", USUAL_PORT),
    ("FRAME_ANCESTORS", "http://shop.example:80", USUAL_PORT),
    ("CONSENT_FORMAT", "iab", None),
    ("CONSENT_COOKIE", "a=b", "must be a cookie's name, such as statistics_consent"),
    ("CONSENT_COOKIE_DOMAIN", "https://a.example", "must be a domain such as example.com"),
    ("HONOUR_GPC", "perhaps", "Input should be a valid boolean, unable to interpret input"),
    ("VISITOR_VIEWS_MAX", "0", "Input should be greater than or equal to 1"),
    ("QUEUE_MAX", "-1", "Input should be greater than or equal to 1"),
    ("TODAY_STEP_MINUTES", "-1", "Input should be greater than or equal to 0"),
    ("BREAKDOWN_MIN", "2", "Input should be greater than or equal to 3"),
    ("KEEP_COUNTS_DAYS", "61", "must be 0 (for ever) or at least 62"),
    ("KEEP_COUNTS_DAYS", "-1", "must be 0 (for ever) or at least 62"),
    ("HOME_COUNTRY", "gr", "must be an ISO 3166-1 code in capitals, such as GR"),
    ("BRAND_COLOUR", "red", "must be a colour such as #0b6e4f"),
    ("LOG_LEVEL", "loud", "Input should be 'debug', 'info', 'warning' or 'error'"),
]


@pytest.mark.parametrize(
    ("name", "value", "sentence"), BAD, ids=[f"{name}={value}" for name, value, _ in BAD]
)
def test_a_bad_value_is_named_with_what_would_do(
    env: Any, name: str, value: str, sentence: str | None
) -> None:
    """One line: the variable as the operator wrote it and what it may be. The value isn't
    repeated, because it may be a secret."""
    with pytest.raises(BadSettings) as refused:
        env(**{name: value})
    said = str(refused.value)
    assert said.startswith(f"{PREFIX}{name}: ")
    assert sentence is None or said == f"{PREFIX}{name}: {sentence}"
    assert "\n" not in said


def test_a_bad_secret_is_not_repeated(env: Any) -> None:
    """It may be a good one with a typing error, and the line goes into a log."""
    with pytest.raises(BadSettings) as refused:
        env(SECRET="hunter2")
    assert "hunter2" not in str(refused.value)


def test_everything_that_is_wrong_is_said_at_once(env: Any) -> None:
    """Nobody starts ten times to learn of ten mistakes."""
    with pytest.raises(BadSettings) as refused:
        env(WORKERS="0", TIMEZONE="Mars", BREAKDOWN_MIN="1")
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == [
        "COLLECTOR_WORKERS",
        "COLLECTOR_TIMEZONE",
        "COLLECTOR_BREAKDOWN_MIN",
    ]


def test_two_secrets_are_one_too_many(env: Any) -> None:
    """Whoever sets both would not know which one signs."""
    with pytest.raises(BadSettings) as refused:
        env(SECRET=SECRET, SECRET_FILE="/run/secret")
    assert str(refused.value) == "COLLECTOR_SECRET and COLLECTOR_SECRET_FILE: set one of them"


def test_a_setting_that_nobody_reads_is_pointed_out() -> None:
    """A slip of the pen would otherwise go unnoticed; the nearest name is offered."""
    environment = {"COLLECTOR_ORIGNS": "https://a.example", "COLLECTOR_QQQQ": "1", "PATH": "x"}
    assert read(environment)[1] == [
        "COLLECTOR_ORIGNS: no such setting; did you mean COLLECTOR_ORIGINS?",
        "COLLECTOR_QQQQ: no such setting",
    ]


def test_settings_show_no_secret_when_printed(env: Any) -> None:
    """Not in a traceback, not in a log."""
    dsn = "clickhouse://user:hunter2@db:8123/collector"
    shown = repr(env(SECRET=SECRET, CLICKHOUSE_DSN=dsn, GEOIP_LICENCE_KEY="k3y"))
    assert [word for word in (SECRET, "hunter2", "k3y") if word in shown] == []


@pytest.mark.parametrize(
    ("bind", "parts", "loopback"),
    [
        ("127.0.0.1:8000", ("127.0.0.1", 8000), True),
        ("[::1]:8000", ("::1", 8000), True),
        ("localhost:80", ("localhost", 80), True),
        ("127.1.2.3:1", ("127.1.2.3", 1), True),
        ("0.0.0.0:8000", ("0.0.0.0", 8000), False),
        ("[::]:8000", ("::", 8000), False),
        ("stats.example:80", ("stats.example", 80), False),
    ],
)
def test_a_bind_is_taken_apart(bind: str, parts: tuple[str, int], loopback: bool) -> None:
    """Host and port, and whether only this machine can reach it."""
    assert bind_parts(bind) == parts
    assert is_loopback(bind) == loopback


def test_loopback_is_trusted_only_where_nobody_else_can_come_in(env: Any) -> None:
    """Behind a loopback bind every connection is a proxy of this machine; elsewhere nobody is
    trusted until named, and `none` trusts nobody anywhere."""
    local = tuple(map(ip_network, ("127.0.0.0/8", "::1/128")))
    assert trusted_networks(env(), "127.0.0.1:8000") == local
    assert trusted_networks(env(), "0.0.0.0:8000") == ()
    named = env(TRUSTED_PROXIES="10.0.0.0/8, fd00::/8")
    assert trusted_networks(named, "127.0.0.1:8000") == tuple(
        map(ip_network, ("10.0.0.0/8", "fd00::/8"))
    )
    assert trusted_networks(env(TRUSTED_PROXIES="none"), "127.0.0.1:8000") == ()


def test_a_network_mapped_into_ipv6_is_the_ipv4_network() -> None:
    """Addresses are unwrapped before they are looked up, so the networks are too."""
    assert networks.listed("::ffff:10.0.0.0/104, 192.0.2.7") == tuple(
        map(ip_network, ("10.0.0.0/8", "192.0.2.7/32"))
    )
