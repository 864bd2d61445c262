"""Shipping zones: the marketplace's own table, and errors that name the line."""

from pathlib import Path

import pytest

from collector.settings import Settings
from geoip import zones
from geoip.territory import COUNTRIES, row
from geoip.wiring import assemble
from tests.geoip.running import Server


def read(tmp_path: Path, text: str, home: str | None = None) -> zones.Zones:
    """Write a table and read it back as the server does."""
    path = tmp_path / "zones.toml"
    path.write_text(text, "utf-8")
    return zones.read(path, home=home)


def test_the_shipped_zones_are_home_union_europe_world() -> None:
    """A German shop: Germany is home, the customs union is `eu`, the continent `europe`, and
    whatever no zone names is `world`."""
    shipped = zones.read(zones.SHIPPED, home="DE")
    assert [shipped.zone(code) for code in ("DE", "FR", "MC", "RE", "CH", "GB", "JP", None)] == [
        "home", "eu", "eu", "eu", "europe", "europe", "world", None,
    ]  # fmt: skip


def test_without_a_home_there_is_no_home_zone() -> None:
    """HOME_COUNTRY is optional; Germany then is one of the Union."""
    assert zones.read(zones.SHIPPED, home=None).zone("DE") == "eu"


def test_the_shipped_union_zone_is_the_customs_territory() -> None:
    """The two tables can't drift apart."""
    shipped = zones.read(zones.SHIPPED, home=None)
    union = {code for code in COUNTRIES if shipped.zone(code) == "eu"}
    assert union == {code for code in COUNTRIES if row(code).customs.standing == "inside"}


def test_a_shop_makes_its_own_zones(tmp_path: Path) -> None:
    """Names are free, lists may span lines, comments are allowed."""
    table = read(
        tmp_path,
        '"Benelux" = [\n  "BE", # and\n  "NL", "LU",\n]\nhere = ["home"]\nelsewhere = "rest"\n',
        home="NL",
    )
    assert [table.zone(code) for code in ("BE", "NL", "LU", "FR")] == [
        "Benelux", "here", "Benelux", "elsewhere",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('a = "rest"\nb = [\n"DE",\n"EL"]', 4, "EL is not a country"),
        ('a = "rest"\nb = ["UK"]', 2, "UK is not a country"),
        ('a = "rest"\nb = ["DE"]\n\nc = ["FR",\n "DE"]', 5, "DE is already in 'b'"),
        ('a = "rest"\nb = ["DE", "DE"]', 2, "DE is already in 'b'"),
        ('a = "rest"\nb = ["Germany"]', 2, "not a country"),
        ('a = "rest"\nb = ["DE", 49]', 2, "not a country"),
        ('a = "rest"\n# b = 1\nb = 7', 3, "must be a list of countries"),
        ('a = "rest"\nb = "others"', 2, "must be a list of countries"),
        ('a = "rest"\nb = ["DE"]\nc = "rest"', 3, 'exactly one zone must be "rest", 2 are'),
        ('a = "rest"\nb = ["DE"', 2, "not TOML"),
        ('a = "rest"\na = ["DE"]', 2, "not TOML"),
        ('a = "rest"\n[b]\nc = ["DE"]', 2, "must be a list of countries"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    """The start stops with the file, the line and what would do."""
    with pytest.raises(ValueError, match=r"zones\.toml") as caught:
        read(tmp_path, text)
    assert words in str(caught.value)
    assert f"line {line}" in str(caught.value)


def test_a_file_without_rest_is_refused(tmp_path: Path) -> None:
    """Somebody will order from a country that nobody thought of."""
    with pytest.raises(ValueError, match='exactly one zone must be "rest", 0 are'):
        read(tmp_path, 'a = ["DE"]')


@pytest.mark.parametrize("content", [b"a = '\xff'", b"#" * 70_000])
def test_an_unreadable_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """Not text, or far too long."""
    path = tmp_path / "zones.toml"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"not UTF-8|at most 65536"):
        zones.read(path, home=None)


def test_the_start_names_the_setting(tmp_path: Path) -> None:
    """An operator reads COLLECTOR_…: the sentence begins with the setting's name."""
    missing = Settings(data_dir=tmp_path, zones_file=tmp_path / "none.toml")
    foreign = Settings(data_dir=tmp_path, home_country="EL")
    for settings, start in ((missing, "ZONES_FILE: "), (foreign, "HOME_COUNTRY: ")):
        with pytest.raises(ValueError, match=f"^{start}"):
            assemble(
                settings,
                authorise=lambda scopes, header: None,
                client_address=lambda scope: None,
                clock=lambda: 0.0,
            )


def test_the_answer_carries_the_zone(server: Server) -> None:
    """Home is Germany here; no country is no zone."""
    zone_of = {ip: server.ask(ip=ip)["shipping_zone"] for ip in ("141.20.1.3", "147.102.1.1",
                                                                 "129.132.1.1", "133.11.0.1",
                                                                 "10.0.0.1")}  # fmt: skip
    assert list(zone_of.values()) == ["home", "eu", "europe", "world", None]
