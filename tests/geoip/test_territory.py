"""The two maps, row by row, against what the official texts say.

The expectations are written down here a second time, from the Commission's page "Territorial
status of EU countries and certain territories", Directive 2006/112/EC (Articles 5 to 7, 105 and
215), Regulation (EU) 952/2013 (Article 4) and the agreements that each row names.
"""

from dataclasses import dataclass

import pytest
from babel import Locale

from geoip.part import PARTS
from geoip.territory import COUNTRIES, TERRITORIES, THIRD_COUNTRY, UNKNOWN, row, territory

MEMBERS = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
PLAIN_MEMBERS = sorted(set(MEMBERS) - {"CY", "DE", "ES", "GR", "IT", "PT"})


@dataclass(frozen=True)
class Expected:
    """eu: part of the Union; then standings and areas on the two maps."""

    eu: bool
    vat: str
    vat_area: str | None
    prefix: str | None
    customs: str
    customs_area: str | None


OUTSIDE = Expected(False, "outside", None, None, "outside", None)
UNION_OUTSIDE_VAT = Expected(True, "outside", None, None, "inside", "EU")

SPECIAL_ROWS = {
    # Part of the Union and of its customs territory, left out of VAT: Article 6(1)(c) and (d).
    "AX": UNION_OUTSIDE_VAT,
    "GP": UNION_OUTSIDE_VAT,
    "GF": UNION_OUTSIDE_VAT,
    "MQ": UNION_OUTSIDE_VAT,
    "RE": UNION_OUTSIDE_VAT,
    "YT": UNION_OUTSIDE_VAT,
    "MF": UNION_OUTSIDE_VAT,
    # Overseas countries and territories, Annex II to the TFEU: outside of everything.
    "PM": OUTSIDE,
    "NC": OUTSIDE,
    "PF": OUTSIDE,
    "WF": OUTSIDE,
    "BL": OUTSIDE,
    "TF": OUTSIDE,
    "GL": OUTSIDE,
    "AW": OUTSIDE,
    "BQ": OUTSIDE,
    "CW": OUTSIDE,
    "SX": OUTSIDE,
    "FO": OUTSIDE,  # Article 355(5)(a) TFEU
    "VA": OUTSIDE,
    # Article 7 of the Directive; Article 4(2)(a) of the Customs Code.
    "MC": Expected(False, "inside", "EU", "FR", "inside", "EU"),
    # Customs and excise as Italy, VAT not: the Commission's page, "other countries".
    "SM": Expected(False, "outside", None, None, "inside", "EU"),
    # Customs unions for some goods only.
    "AD": Expected(False, "outside", None, None, "special", None),
    "TR": Expected(False, "outside", None, None, "special", None),
    "GI": Expected(False, "outside", None, None, "special", None),
    # The United Kingdom's islands: Man is taxed as the United Kingdom, the Channel Islands aren't.
    "IM": Expected(False, "special", "GB", "GB", "outside", "GB"),
    "GG": Expected(False, "outside", None, None, "outside", "GB"),
    "JE": Expected(False, "outside", None, None, "outside", "GB"),
}

# A country that can't tell: the standing on each map, without a postcode.
AMBIGUOUS_ROWS = {
    "ES": Expected(True, "ambiguous", "EU", "ES", "ambiguous", "EU"),  # Ceuta, Melilla: customs too
    "DE": Expected(True, "ambiguous", "EU", "DE", "ambiguous", "EU"),  # Büsingen, Heligoland
    "IT": Expected(True, "ambiguous", "EU", "IT", "ambiguous", "EU"),  # Livigno: customs too
    "GR": Expected(True, "ambiguous", "EU", "EL", "inside", "EU"),  # Mount Athos: VAT only
    "PT": Expected(True, "ambiguous", "EU", "PT", "inside", "EU"),  # Azores, Madeira: rates
    "CY": Expected(True, "ambiguous", "EU", "CY", "ambiguous", "EU"),  # Protocol No 10
    "GB": Expected(False, "ambiguous", "GB", "GB", "ambiguous", "GB"),  # Northern Ireland
}

PART_ROWS = {
    ("ES", "35001"): ("the Canary Islands", UNION_OUTSIDE_VAT),
    ("ES", "38400"): ("the Canary Islands", UNION_OUTSIDE_VAT),
    ("ES", "51001"): ("Ceuta", Expected(True, "outside", None, None, "outside", None)),
    ("ES", "52006"): ("Melilla", Expected(True, "outside", None, None, "outside", None)),
    ("DE", "78266"): ("Büsingen", Expected(True, "outside", None, None, "outside", None)),
    ("DE", "27498"): ("Heligoland", Expected(True, "outside", None, None, "outside", None)),
    ("IT", "23041"): ("Livigno", Expected(True, "outside", None, None, "outside", None)),
    # In the customs territory since 2020: Regulation (EU) 2019/474.
    ("IT", "22061"): ("Campione d'Italia (with Italy's waters of Lake Lugano)", UNION_OUTSIDE_VAT),
    ("GR", "630 86"): ("Mount Athos", UNION_OUTSIDE_VAT),
    ("PT", "9500-321"): ("the Azores", Expected(True, "inside", "EU", "PT", "inside", "EU")),
    ("PT", "9000-018"): ("Madeira", Expected(True, "inside", "EU", "PT", "inside", "EU")),
    # Goods only: Articles 5 and 8 of the Windsor Framework.
    ("GB", "BT1 5GS"): (
        "Northern Ireland",
        Expected(False, "special", "XI", "XI", "special", "XI"),
    ),
    ("CY", "BFPO 57"): (
        "Akrotiri and Dhekelia",
        Expected(False, "inside", "EU", "CY", "inside", "EU"),
    ),
    ("CY", "99010"): (
        "the north of Cyprus",
        Expected(True, "outside", None, None, "outside", None),
    ),
}

MAINLAND = {
    "ES": "28013",
    "DE": "10115",
    "IT": "00184",
    "GR": "105 57",
    "PT": "1100-148",
    "CY": "1011",
    "GB": "SW1A 1AA",
}


def seen(country: str, postcode: str | None = None) -> Expected:
    """Return what the table says, in the form of the expectations."""
    found = territory(country, postcode)
    return Expected(
        found.eu_member,
        found.vat.standing,
        found.vat.area,
        found.prefix,
        found.customs.standing,
        found.customs.area,
    )


@pytest.mark.parametrize("country", PLAIN_MEMBERS)
def test_a_member_without_exceptions_is_inside_both_maps(country: str) -> None:
    """Twenty-one members have no part that their own code doesn't tell from them."""
    assert seen(country) == Expected(True, "inside", "EU", country, "inside", "EU")
    assert territory(country).vat.ask is None


@pytest.mark.parametrize("country", SPECIAL_ROWS)
def test_a_territory_with_a_code_of_its_own_is_told_exactly(country: str) -> None:
    """Åland, Monaco and the others have an ISO code, so nothing needs to be asked."""
    assert seen(country) == SPECIAL_ROWS[country]
    found = territory(country)
    assert (found.vat.ask, found.customs.ask) == (None, None)


@pytest.mark.parametrize("country", AMBIGUOUS_ROWS)
def test_a_country_that_hides_a_territory_says_so_and_what_to_ask(country: str) -> None:
    """Nobody can tell the Canary Islands from Spain by a country; the answer asks for a postcode
    on exactly the maps that differ, and names the places."""
    assert seen(country) == AMBIGUOUS_ROWS[country]
    found = territory(country)
    for side in (found.vat, found.customs):
        assert (side.ask == "postcode") == (side.standing == "ambiguous")
        if side.ask:
            assert any(part.name in side.why for part in PARTS if part.country == country)


@pytest.mark.parametrize(("country", "postcode"), PART_ROWS)
def test_a_postcode_tells_the_part(country: str, postcode: str) -> None:
    """With the postcode that was asked for, the standing is certain and the place is named."""
    name, expected = PART_ROWS[country, postcode]
    assert seen(country, postcode) == expected
    found = territory(country, postcode)
    assert found.vat.why.startswith(f"{name}: ")
    assert (found.vat.ask, found.customs.ask) == (None, None)


@pytest.mark.parametrize("country", MAINLAND)
def test_any_other_postcode_is_the_main_part(country: str) -> None:
    """Madrid is inside, London is outside, and neither is asked again."""
    found = seen(country, MAINLAND[country])
    standing = "outside" if country == "GB" else "inside"
    assert (found.vat, found.customs) == (standing, standing)
    assert territory(country, MAINLAND[country]) == row(country)


@pytest.mark.parametrize("postcode", ["23030", "22060"])
def test_a_postcode_that_neighbours_share_is_not_the_parts(postcode: str) -> None:
    """Valfurva and Arosio are taxed, whatever postcode Livigno and Campione once had."""
    assert territory("IT", postcode) == row("IT")


@pytest.mark.parametrize(
    ("country", "postcode"),
    [("ES", "ES-35001"), ("DE", "de 27498"), ("GB", "bt11aa"), ("PT", "9500321"), ("CY", "bfpo58")],
)
def test_a_postcode_is_read_however_it_is_written(country: str, postcode: str) -> None:
    """Buyers write spaces, hyphens, small letters and the country in front."""
    assert territory(country, postcode) != row(country)


def test_a_postcode_of_another_country_changes_nothing() -> None:
    """French postcodes have five digits too; 35 is Brittany there and Las Palmas in Spain."""
    assert territory("FR", "35001") == row("FR")


def test_every_row_is_tested_here() -> None:
    """A row added to the tables without an expectation in this file fails."""
    assert set(TERRITORIES) == {*PLAIN_MEMBERS, *SPECIAL_ROWS, *AMBIGUOUS_ROWS}
    assert {part.name for part in PARTS} == {name for name, _ in PART_ROWS.values()}
    assert {part.country for part in PARTS} == set(AMBIGUOUS_ROWS) == set(MAINLAND)


@pytest.mark.parametrize("entry", [*TERRITORIES.values(), *PARTS, THIRD_COUNTRY])
def test_every_row_names_its_source(entry: object) -> None:
    """A reader who doubts a row knows which text to open."""
    source = getattr(entry, "source", "")
    assert any(word in source for word in ("Directive", "Regulation", "Treaty", "Agreement",
                                           "Decision", "Protocol"))  # fmt: skip


def test_both_maps_differ_where_the_law_does() -> None:
    """One map copied from the other would pass for most countries, and not for these."""
    customs_only = {code for code in COUNTRIES if row(code).customs.standing == "inside"
                    and row(code).vat.standing == "outside"}  # fmt: skip
    assert customs_only == {"AX", "GP", "GF", "MQ", "RE", "YT", "MF", "SM"}


def test_greece_alone_has_another_vat_prefix_than_its_code() -> None:
    """Article 215 of the Directive says EL."""
    assert {code: row(code).prefix for code in MEMBERS if row(code).prefix != code} == {"GR": "EL"}


@pytest.mark.parametrize("country", ["CH", "NO", "US", "JP", "XK", "UA", "LI", "SJ", "AQ"])
def test_everywhere_else_is_a_third_country(country: str) -> None:
    """Outside both, with nothing to ask."""
    assert seen(country) == OUTSIDE


def test_no_country_is_ambiguous_and_not_outside() -> None:
    """Nothing known must not read as "no VAT": that would be a tax decision."""
    assert territory(None) is UNKNOWN
    assert UNKNOWN.vat.standing == UNKNOWN.customs.standing == "ambiguous"


def test_the_list_of_countries_is_iso_3166_and_kosovo() -> None:
    """Unicode's list holds the same codes, beside some that are no countries: unions, test codes,
    parts that ISO only reserves."""
    not_countries = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB",
                     "ZZ"}  # fmt: skip
    unicode = {str(code) for code in Locale("en").territories if len(str(code)) == 2}
    assert unicode - COUNTRIES <= not_countries
    assert unicode >= COUNTRIES
    assert len(COUNTRIES) == 249 + 1
