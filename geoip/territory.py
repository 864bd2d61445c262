"""Where a country stands for VAT and for customs: two maps, one row each, every row sourced.

Pure: a table and three look-ups. "Inside" and "outside" are meant towards the European Union's
VAT territory and its customs territory, which don't coincide. Engineers' reading of the law, not
legal advice; confirm a row at its source before money depends on it.
"""

from dataclasses import dataclass, replace
from typing import Literal

from geoip.part import PARTS, Part

Standing = Literal["inside", "outside", "special", "ambiguous"]

# ISO 3166-1 alpha-2, officially assigned, and XK, which ISO leaves to its users and everybody
# uses for Kosovo. EL, UK, EU and XI are not countries here.
COUNTRIES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ
    EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW
    GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY
    KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV
    MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY
    QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG
    TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA
    ZM ZW
    """.split()
)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two maps.

    area      whose rules hold: "EU", "GB", "XI" (Northern Ireland, goods only) or None
    standing  "inside" or "outside" the Union's territory; "special" where neither is right;
              "ambiguous" where the country alone can't tell, and `ask` says what would
    """

    area: str | None
    standing: Standing
    why: str
    ask: Literal["postcode"] | None = None


@dataclass(frozen=True, slots=True)
class Territory:
    """A row: whether it is part of the European Union, both maps, and where that is written."""

    eu_member: bool
    vat: Side
    prefix: str | None
    customs: Side
    source: str


EC = (
    "European Commission, Territorial status of EU countries and certain territories "
    "(taxation-customs.ec.europa.eu)"
)
VAT = "Directive 2006/112/EC"
UCC = "Regulation (EU) 952/2013, Article 4"
TFEU = "Treaty on the Functioning of the European Union"

_IN = "Part of the Union's VAT territory."
_CUSTOMS_IN = "Part of the Union's customs territory."
_CUSTOMS_OUT = "Not part of the Union's customs territory."
_OVERSEAS = "Overseas country or territory: the Union's {} rules don't apply."


def _member(code: str, prefix: str | None = None) -> tuple[str, Territory]:
    return code, Territory(
        eu_member=True,
        vat=Side("EU", "inside", _IN),
        prefix=prefix or code,
        customs=Side("EU", "inside", _CUSTOMS_IN),
        source=f"{EC}; {VAT}, Article 5(2); {UCC}(1)",
    )


def _in_union_outside_vat(code: str, why: str, article: str) -> tuple[str, Territory]:
    return code, Territory(
        eu_member=True,
        vat=Side(None, "outside", why),
        prefix=None,
        customs=Side("EU", "inside", _CUSTOMS_IN),
        source=f"{EC}; {VAT}, {article}; {UCC}(1)",
    )


def _overseas(code: str) -> tuple[str, Territory]:
    return code, Territory(
        eu_member=False,
        vat=Side(None, "outside", _OVERSEAS.format("VAT")),
        prefix=None,
        customs=Side(None, "outside", _OVERSEAS.format("customs")),
        source=f"{EC}; {TFEU}, Annex II; {UCC}(1)",
    )


def _outside(
    code: str,
    why: str,
    source: str,
    *,
    vat: Side | None = None,
    prefix: str | None = None,
    customs: Side | None = None,
) -> tuple[str, Territory]:
    """A row that is not part of the Union; a map that isn't given is plainly outside."""
    return code, Territory(
        eu_member=False,
        vat=vat or Side(None, "outside", why),
        prefix=prefix,
        customs=customs or Side(None, "outside", _CUSTOMS_OUT),
        source=source,
    )


_OUTERMOST = "French region of the Union that its VAT rules leave out; French rules of its own."
_MANX = "Taxed as the United Kingdom, not as a third country; not part of the Union."
_SOME_GOODS = "A customs union covers {}; other goods are imported from a third country."

TERRITORIES: dict[str, Territory] = dict(
    (
        _member("AT"), _member("BE"), _member("BG"), _member("CY"), _member("CZ"), _member("DE"),
        _member("DK"), _member("EE"), _member("ES"), _member("FI"), _member("FR"),
        _member("GR", prefix="EL"),  # ISO 3166 says GR, Directive 2006/112/EC, Article 215 says EL
        _member("HR"), _member("HU"), _member("IE"), _member("IT"), _member("LT"), _member("LU"),
        _member("LV"), _member("MT"), _member("NL"), _member("PL"), _member("PT"), _member("RO"),
        _member("SE"), _member("SI"), _member("SK"),
        _in_union_outside_vat(
            "AX", "Finnish islands that the Union's VAT rules leave out.", "Article 6(1)(d)"
        ),
        _in_union_outside_vat("GP", _OUTERMOST, "Article 6(1)(c)"),
        _in_union_outside_vat("GF", _OUTERMOST, "Article 6(1)(c)"),
        _in_union_outside_vat("MQ", _OUTERMOST, "Article 6(1)(c)"),
        _in_union_outside_vat("RE", _OUTERMOST, "Article 6(1)(c)"),
        _in_union_outside_vat("YT", _OUTERMOST, "Article 6(1)(c)"),
        _in_union_outside_vat("MF", _OUTERMOST, "Article 6(1)(c)"),
        _overseas("PM"), _overseas("NC"), _overseas("PF"), _overseas("WF"), _overseas("BL"),
        _overseas("TF"), _overseas("GL"), _overseas("AW"), _overseas("BQ"), _overseas("CW"),
        _overseas("SX"),
        _outside(
            "FO", "Danish islands to which the Treaties don't apply.",
            f"{EC}; {TFEU}, Article 355(5)(a); {UCC}(1)",
        ),
        _outside(
            "MC", "", f"{EC}; {VAT}, Article 7; {UCC}(2)(a)",
            vat=Side("EU", "inside", "Treated as France for VAT; its traders have French numbers."),
            prefix="FR",
            customs=Side("EU", "inside", "Part of the Union's customs territory, with France."),
        ),
        _outside(
            "SM", "Not part of the Union's VAT territory.",
            f"{EC}; Agreement on customs union EEC-San Marino, OJ L 84, 28.3.2002, p. 43",
            customs=Side("EU", "inside", "Treated as Italy for customs, by a customs union."),
        ),
        _outside("VA", "Not part of the Union's VAT territory.", f"{EC}; {VAT}, Article 5; {UCC}"),
        _outside(
            "AD", "Not part of the Union's VAT territory.",
            "Agreement EEC-Andorra, OJ L 374, 31.12.1990, p. 14 (chapters 25 to 97)",
            customs=Side(None, "special", _SOME_GOODS.format("industrial goods")),
        ),
        _outside(
            "TR", "A third country for VAT.",
            "Decision 1/95 of the EC-Turkey Association Council, OJ L 35, 13.2.1996, p. 1",
            customs=Side(
                None, "special", _SOME_GOODS.format("industrial and processed agricultural goods")
            ),
        ),
        _outside(
            "GI", "Never part of the Union's VAT territory; it has a transaction tax of its own.",
            f"{UCC}(1), which leaves it out; EU-UK Agreement in respect of Gibraltar (2026)",
            customs=Side(
                None, "special",
                "The agreement of 2026 in respect of Gibraltar makes a customs union with "
                "clearance at posts in Spain and Portugal; confirm that it applies.",
            ),
        ),
        _outside(
            "GB", "", "Agreement on the withdrawal of the United Kingdom, OJ L 29, 31.1.2020, p. 7",
            vat=Side("GB", "outside", "A third country for VAT, with a VAT of its own."),
            prefix="GB",
            customs=Side("GB", "outside", _CUSTOMS_OUT),
        ),
        _outside(
            "IM", "", f"{VAT}, Article 7; Customs and Excise Agreement UK-Isle of Man of 1979",
            vat=Side("GB", "special", _MANX),
            prefix="GB",
            customs=Side("GB", "outside", "In the United Kingdom's customs union."),
        ),
        _outside(
            "GG", "Without a VAT, and outside the Union's and the United Kingdom's.",
            f"{VAT}, Article 6(1)(e); UK-Guernsey customs arrangement of 2018",
            customs=Side("GB", "outside", "In customs union with the United Kingdom."),
        ),
        _outside(
            "JE", "Outside the Union's and the United Kingdom's VAT; it has a tax of its own.",
            f"{VAT}, Article 6(1)(e); UK-Jersey customs arrangement of 2018",
            customs=Side("GB", "outside", "In customs union with the United Kingdom."),
        ),
    )
)  # fmt: skip

THIRD_COUNTRY = Territory(
    eu_member=False,
    vat=Side(None, "outside", "A third country for VAT."),
    prefix=None,
    customs=Side(None, "outside", _CUSTOMS_OUT),
    source=f"{VAT}, Article 5(4); {UCC}",
)
UNKNOWN = Territory(
    eu_member=False,
    vat=Side(None, "ambiguous", "No country is known; ask the buyer for it."),
    prefix=None,
    customs=Side(None, "ambiguous", "No country is known; ask the buyer for it."),
    source="",
)


def row(country: str) -> Territory:
    """Return the row of a country as a whole, without looking at its parts."""
    return TERRITORIES.get(country, THIRD_COUNTRY)


def territory(country: str | None, postcode: str | None = None) -> Territory:
    """Return where a country stands, or a place in it where a postcode tells.

    Why     Spain, Germany, Italy, Greece, Portugal, Cyprus and the United Kingdom have parts
            under other rules and no country code of their own. Without a postcode the maps on
            which a part differs are "ambiguous"; area and prefix are those of the main part.
    """
    if country is None:
        return UNKNOWN
    whole = row(country)
    parts = [part for part in PARTS if part.country == country]
    if not parts:
        return whole
    if postcode is None:
        return _ambiguous(whole, parts)
    for part in parts:
        if part.holds(postcode):
            return _of_part(whole, part)
    return whole


def _ambiguous(whole: Territory, parts: list[Part]) -> Territory:
    other_vat = [part.name for part in parts if part.vat_differs]
    other_customs = [part.name for part in parts if part.customs_differs]
    return replace(
        whole,
        vat=_asking(whole.vat, other_vat) if other_vat else whole.vat,
        customs=_asking(whole.customs, other_customs) if other_customs else whole.customs,
    )


def _asking(side: Side, names: list[str]) -> Side:
    why = f"The country alone can't tell: other rules hold in {_listed(names)}."
    return Side(side.area, "ambiguous", why, ask="postcode")


def _listed(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _of_part(whole: Territory, part: Part) -> Territory:
    return Territory(
        eu_member=whole.eu_member and part.in_union,
        vat=Side(part.vat_area, part.vat, f"{part.name}: {part.vat_why}"),
        prefix=part.prefix,
        customs=Side(part.customs_area, part.customs, f"{part.name}: {part.customs_why}"),
        source=part.source,
    )
