"""Looks: the marketplace's name, colour and logo, under any path, and never unreadable."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.app import logo_file
from dashboards.brand import CONTRAST_MIN, DARK_GROUND, LIGHT_GROUND, contrast, readable
from tests.dashboards.running import Site, Visits

Serve = Callable[..., Site]
PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="80" height="28"/>'


def parts(colour: str) -> tuple[int, ...]:
    """Return red, green and blue."""
    return tuple(bytes.fromhex(colour.removeprefix("#")))


@given(st.integers(0, 0xFFFFFF).map("#{:06x}".format))
def test_any_brand_colour_is_readable(colour: str) -> None:
    """Somebody's yellow on white, or navy on black, is moved until it is readable; white letters
    on it in the light and black ones in the dark are readable too."""
    on_light, on_dark = readable(colour, LIGHT_GROUND), readable(colour, DARK_GROUND)

    assert contrast(parts(on_light), parts(LIGHT_GROUND)) >= CONTRAST_MIN
    assert contrast(parts(on_dark), parts(DARK_GROUND)) >= CONTRAST_MIN
    assert contrast(parts(on_dark), parts("#111418")) >= 4.5
    if contrast(parts(colour), parts(LIGHT_GROUND)) >= CONTRAST_MIN:
        assert on_light == colour


def test_a_marketplaces_name_colour_and_logo_are_shown(serve: Serve, tmp_path: Path) -> None:
    """Its name is in the title, its logo in the head with the name for those who don't see it,
    its colour in a style sheet of ours; all of it comes from here."""
    logo = tmp_path / "logo.svg"
    logo.write_bytes(PICTURE)
    site = serve(brand_name="Handmade & Co", brand_colour="#ffd400", brand_logo=str(logo))

    page = site.ask("/dashboard/").text
    picture = site.ask("/dashboard/logo")
    colours = site.ask("/dashboard/brand.css")

    assert "<title>You are signed out · Handmade &amp; Co</title>" in page
    assert re.search(r'<img src="/dashboard/logo\?v=\w+" alt="Handmade &amp; Co"', page)
    assert (picture.headers["content-type"], picture.content) == ("image/svg+xml", PICTURE)
    assert "--brand:#ffd400" in colours.text.partition("dark")[2]
    assert "--brand:#ffd400" not in colours.text.partition("dark")[0]


@pytest.mark.parametrize("name", ["https://cdn.example/logo.svg", "missing.png", "notes.txt"])
def test_a_logo_that_can_not_be_served_stops_the_start(name: str, tmp_path: Path) -> None:
    """An address elsewhere would be a third-party request; a file that isn't there, or isn't a
    picture, would be a hole in the page. The message says what would do."""
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match="BRAND_LOGO: must name a picture on this machine"):
        logo_file(name if "//" in name else str(tmp_path / name))


def test_everything_moves_below_a_prefix(serve: Serve, visits: Visits) -> None:
    """With a prefix the shop's own paths stay free: pages, files, forms, the cookie and the API
    are below it, and every address on a page leads there."""
    visits.add("cup", 1)
    site = serve(path_prefix="/stats")
    cookie = {"Cookie": site.sign_in(visits.seller, prefix="/stats")}

    page = site.ask("/stats/dashboard/", headers=cookie)
    addresses = re.findall(r'(?:href|src|action)="([^"#?]*)', page.text)

    assert page.status == 200
    assert all(address.startswith("/stats/dashboard/") for address in addresses if address)
    for address in {address for address in addresses if "static" in address}:
        assert site.ask(address).status == 200
    assert site.ask("/stats/api/v1/openapi.json").status == 200
    assert site.ask("/dashboard/", headers=cookie).status == 404
    assert site.ask("/stats/dashboard").headers["location"] == "/stats/dashboard/"
