"""Parts of countries that tax or customs treat differently and that have no country code.

Pure: a table. A part is found by postcode where its postcodes are its own; where they aren't
(Lake Lugano's waters have none) nobody ships there. 23030 and 22060, which Livigno and Campione
had once, belong to other places in their provinces, which are taxed. Postcode ranges are those of
the national posts named in each row.
"""

import re
from dataclasses import dataclass
from typing import Literal

Place = Literal["inside", "outside", "special"]

POSTCODE_CHARACTERS_MAX = 16
_SEPARATORS = re.compile(r"[\s-]+")


@dataclass(frozen=True, slots=True)
class Part:
    """A row.

    postcodes   a pattern over the postcode in capitals without spaces and hyphens
    own_rates   inside the VAT territory, but at other rates than the country's mainland
    """

    name: str
    country: str
    postcodes: re.Pattern[str]
    vat: Place
    vat_why: str
    customs: Place
    customs_why: str
    source: str
    vat_area: str | None = None
    prefix: str | None = None
    customs_area: str | None = None
    in_union: bool = True
    own_rates: bool = False

    @property
    def vat_differs(self) -> bool:
        return self.vat != "inside" or self.own_rates

    @property
    def customs_differs(self) -> bool:
        return self.customs != "inside"

    def holds(self, postcode: str) -> bool:
        """Return whether the postcode lies here, however it is spaced."""
        bare = _SEPARATORS.sub("", postcode).upper().removeprefix(self.country)
        return self.postcodes.fullmatch(bare) is not None


_VAT_OUT = "the Union's VAT rules leave it out."
_CUSTOMS_IN = "part of the Union's customs territory."
_CUSTOMS_OUT = "outside the Union's customs territory."
_VAT = "Directive 2006/112/EC"
_UCC = "Regulation (EU) 952/2013, Article 4(1)"
_UCC_2019 = f"{_UCC}, as amended by Regulation (EU) 2019/474 from 2020"

PARTS: tuple[Part, ...] = (
    Part(
        "the Canary Islands", "ES", re.compile(r"(35|38)[0-9]{3}"),
        "outside", _VAT_OUT, "inside", _CUSTOMS_IN,
        source=f"{_VAT}, Article 6(1)(b); postcodes: Correos, provinces 35 and 38",
        customs_area="EU",
    ),
    Part(
        "Ceuta", "ES", re.compile(r"51[0-9]{3}"),
        "outside", _VAT_OUT, "outside", _CUSTOMS_OUT,
        source=f"{_VAT}, Article 6(2)(c); {_UCC}; postcodes: Correos, 51",
    ),
    Part(
        "Melilla", "ES", re.compile(r"52[0-9]{3}"),
        "outside", _VAT_OUT, "outside", _CUSTOMS_OUT,
        source=f"{_VAT}, Article 6(2)(d); {_UCC}; postcodes: Correos, 52",
    ),
    Part(
        "Büsingen", "DE", re.compile(r"78266"),
        "outside", _VAT_OUT, "outside", _CUSTOMS_OUT,
        source=f"{_VAT}, Article 6(2)(b); {_UCC}; postcode: Deutsche Post",
    ),
    Part(
        "Heligoland", "DE", re.compile(r"27498"),
        "outside", _VAT_OUT, "outside", _CUSTOMS_OUT,
        source=f"{_VAT}, Article 6(2)(a); {_UCC}; postcode: Deutsche Post",
    ),
    Part(
        "Livigno", "IT", re.compile(r"23041"),
        "outside", _VAT_OUT, "outside", _CUSTOMS_OUT,
        source=f"{_VAT}, Article 6(2)(e); {_UCC_2019}; postcodes: Poste Italiane",
    ),
    Part(
        "Campione d'Italia (with Italy's waters of Lake Lugano)", "IT", re.compile(r"22061"),
        "outside", _VAT_OUT, "inside", _CUSTOMS_IN,
        source=f"{_VAT}, Article 6(1), by Directive (EU) 2019/475; {_UCC_2019}; "
        "postcodes: Poste Italiane",
        customs_area="EU",
    ),
    Part(
        "Mount Athos", "GR", re.compile(r"6308[67]"),
        "outside", _VAT_OUT, "inside", _CUSTOMS_IN,
        source=f"{_VAT}, Article 6(1)(a); postcodes: Hellenic Post",
        customs_area="EU",
    ),
    Part(
        "the Azores", "PT", re.compile(r"9[5-9][0-9]{2}([0-9]{3})?"),
        "inside", "part of the Union's VAT territory, at rates of its own.",
        "inside", _CUSTOMS_IN,
        source=f"{_VAT}, Article 105; postcodes: CTT, 95 to 99",
        vat_area="EU", prefix="PT", customs_area="EU", own_rates=True,
    ),
    Part(
        "Madeira", "PT", re.compile(r"9[0-4][0-9]{2}([0-9]{3})?"),
        "inside", "part of the Union's VAT territory, at rates of its own.",
        "inside", _CUSTOMS_IN,
        source=f"{_VAT}, Article 105; postcodes: CTT, 90 to 94",
        vat_area="EU", prefix="PT", customs_area="EU", own_rates=True,
    ),
    Part(
        "Northern Ireland", "GB", re.compile(r"BT[0-9]{1,2}([0-9][A-Z]{2})?"),
        "special", "the Union's VAT rules hold for goods, the United Kingdom's for services.",
        "special", "the Union's customs rules hold for goods.",
        source="Windsor Framework (Protocol on Ireland/Northern Ireland), Articles 5 and 8 and "
        "Annex 3; postcodes: Royal Mail, BT",
        vat_area="XI", prefix="XI", customs_area="XI", in_union=False,
    ),
    Part(
        "Akrotiri and Dhekelia", "CY", re.compile(r"BFPO5[78]"),
        "inside", "treated as Cyprus for VAT.",
        "inside", "part of the Union's customs territory, with Cyprus.",
        source=f"{_VAT}, Article 7; Regulation (EU) 952/2013, Article 4(2)(b); postcodes: BFPO",
        vat_area="EU", prefix="CY", customs_area="EU", in_union=False,
    ),
    Part(
        "the north of Cyprus", "CY", re.compile(r"99[0-9]{3}|MERSIN10"),
        "outside", "the Union's rules are suspended where the Republic has no control.",
        "outside", "the Union's rules are suspended where the Republic has no control.",
        source="Protocol No 10 to the Act of Accession of 2003, Article 1",
    ),
)  # fmt: skip
