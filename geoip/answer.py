"""What a caller is told: a country, where it stands, and how much to believe it.

Time is an argument. An answer never holds the address, and one without a country is no error.
"""

import json
from datetime import UTC, datetime
from typing import Any, Literal

from geoip import names
from geoip.country import Database, Found
from geoip.territory import Side, Territory, territory
from geoip.zones import Zones

Basis = Literal["chosen", "address", "none"]
FRAGMENTS_MAX = 4096  # Most shops sell to a few dozen countries in a few languages.
_CUSTOMS_UNION = {"inside": True, "outside": False, "special": None, "ambiguous": None}


def basis_of(found: Found, chosen: str | None) -> Basis:
    """Return what decides: the buyer's choice always beats the address."""
    if chosen is not None:
        return "chosen"
    return "address" if found.country is not None else "none"


def standing(
    country: str | None,
    *,
    basis: Basis,
    registered: bool,
    postcode: str | None,
    language: str,
    zones: Zones,
) -> dict[str, Any]:
    """Return the part of an answer that is the same for everybody in a country."""
    row = territory(country, postcode)
    return {
        "country": country,
        "name": names.name(country, language),
        "language": language,
        "basis": basis,
        "estimate": basis == "address",
        "registered": basis == "address" and registered,
        "eu_member": None if country is None else row.eu_member,
        "vat": _vat(row),
        "customs_union": _CUSTOMS_UNION[row.customs.standing],
        "customs": _side(row.customs),
        "shipping_zone": zones.zone(country),
    }


def _side(side: Side) -> dict[str, Any]:
    return {"area": side.area, "standing": side.standing, "ask": side.ask, "why": side.why}


def _vat(row: Territory) -> dict[str, Any]:
    return {"area": row.vat.area, "prefix": row.prefix, "standing": row.vat.standing,
            "ask": row.vat.ask, "why": row.vat.why}  # fmt: skip


def evidence(
    found: Found, chosen: str | None, *, looked_up: bool, database: Database, now: float, id_: str
) -> str | None:
    """Return a sentence that a marketplace can keep, or None when nothing was learned.

    Why     Regulation (EU) 282/2011, Article 24f(b) counts the address, or a geolocation by it,
            among the items of evidence; the sentence says which country it told, when and by
            what, so that the address itself need not be kept.
    """
    said = []
    if looked_up:
        said.append(_said_by_address(found, database))
    if chosen is not None:
        said.append(f"the buyer chose {chosen}")
    if not said or (chosen is None and found.country is None):
        return None
    day = datetime.fromtimestamp(now, UTC).date()
    return f"Evidence {id_} of {day}: {'; '.join(said)}."


def _said_by_address(found: Found, database: Database) -> str:
    source = f"{database.name}, built {database.built}"
    if found.country is None:
        return f"the buyer's network address is in no country by {source} (address not kept)"
    verb = "is registered in" if found.registered else "is in"
    return f"the buyer's network address {verb} {found.country} by {source} (address not kept)"


def about(database: Database, now: float) -> dict[str, Any]:
    """Return what an answer says of the database: its name, its age, whom to thank."""
    return {
        "name": database.name,
        "built": database.built.isoformat(),
        "age_days": database.age_days(now),
        "stale": database.is_stale(now),
        "attribution": database.attribution,
    }


class Answers:
    """Answers as JSON text, with the unchanging part kept per country and language.

    Why     A country's part takes longer to build than to look up; a hundred must fit in two
            milliseconds. Nothing about a caller is kept: with a postcode nothing is kept at all.
    """

    def __init__(self, zones: Zones) -> None:
        self._zones = zones
        self._fragments: dict[tuple[str | None, Basis, bool, str], str] = {}
        self._about: tuple[Database, int] | None = None
        self._about_text = ""

    def short(
        self, found: Found, *, chosen: str | None, postcode: str | None, language: str
    ) -> str:
        """Return an answer for a browser, as a JSON object."""
        return self._fragment(found, chosen, postcode, language) + "}"

    def full(
        self,
        found: Found,
        *,
        chosen: str | None,
        postcode: str | None,
        language: str,
        looked_up: bool,
        database: Database,
        now: float,
        id_: str,
    ) -> str:
        """Return an answer for the marketplace, with the database and the evidence."""
        age = database.age_days(now)
        if self._about is None or self._about[0] is not database or self._about[1] != age:
            self._about, self._about_text = (database, age), json.dumps(about(database, now))
        sentence = json.dumps(
            evidence(found, chosen, looked_up=looked_up, database=database, now=now, id_=id_)
        )
        start = self._fragment(found, chosen, postcode, language)
        return f'{start}, "database": {self._about_text}, "evidence": {sentence}}}'

    def _fragment(
        self, found: Found, chosen: str | None, postcode: str | None, language: str
    ) -> str:
        """Return the standing as JSON without its last brace."""
        basis = basis_of(found, chosen)
        country = chosen or found.country
        key = (country, basis, found.registered, language)
        kept = self._fragments.get(key) if postcode is None else None
        if kept is None:
            kept = json.dumps(
                standing(
                    country,
                    basis=basis,
                    registered=found.registered,
                    postcode=postcode,
                    language=language,
                    zones=self._zones,
                ),
                ensure_ascii=False,
            )[:-1]
            if postcode is None:
                if len(self._fragments) >= FRAGMENTS_MAX:
                    self._fragments.clear()
                self._fragments[key] = kept
        return kept
