"""What a caller is told: a country, where it stands, and how much to believe it.

Time is an argument. An answer never holds the address, and one without a country is no error.
"""

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from geoip import names
from geoip.country import DAY_SECONDS, Database, Found
from geoip.territory import Side, Territory, territory
from geoip.zones import Zones

Basis = Literal["chosen", "address", "none"]
Key = TypeVar("Key")
Value = TypeVar("Value")
KEPT_MAX = 4096  # Most shops sell to a few dozen countries in a few languages.
IDS_AT_ONCE = 256
_ID = "0123456789abcdef-id"  # stands for the evidence's id until it is known
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
    found: Found, chosen: str | None, *, looked_up: bool, database: Database, now: float
) -> str | None:
    """Return a sentence that a marketplace can keep, or None when nothing was learned.

    Shape   the id is still a placeholder; `Answers` puts a fresh one into every answer
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
    return f"Evidence {_ID} of {day}: {'; '.join(said)}."


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
    """Answers as JSON, kept per country, choice and language, all but the evidence's id.

    Why     An answer takes longer to build than to look up; a hundred must fit in two
            milliseconds. Nothing about a caller is kept: with a postcode nothing is kept at all.
    """

    def __init__(self, zones: Zones) -> None:
        self._zones = zones
        self._short: dict[tuple[Found, str | None, str], bytes] = {}
        self._full: dict[tuple[Found, str | None, bool, str], tuple[bytes, bytes]] = {}
        self._full_of: tuple[Database, int, int] | None = None
        self._ids = _ids()

    def short(self, found: Found, *, chosen: str | None, language: str) -> bytes:
        """Return an answer for a browser."""
        key = (found, chosen, language)
        kept = self._short.get(key)
        if kept is None:
            kept = _json(self._standing(found, chosen, None, language))
            _keep(self._short, key, kept)
        return kept

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
    ) -> bytes:
        """Return an answer for the marketplace, with the database and the evidence.

        looked_up   whether an address was asked for, known or not
        now         seconds since 1970
        """
        # Age and date are in the answer, so what was kept is good until one of them changes.
        of = (database, database.age_days(now), int(now // DAY_SECONDS))
        if self._full_of != of:
            self._full_of = of
            self._full.clear()
        key = (found, chosen, looked_up, language)
        kept = self._full.get(key) if postcode is None else None
        if kept is None:
            sentence = evidence(found, chosen, looked_up=looked_up, database=database, now=now)
            answer = self._standing(found, chosen, postcode, language)
            answer |= {"database": about(database, now), "evidence": sentence}
            before, _, after = _json(answer).partition(_ID.encode())
            kept = (before, after)
            if postcode is None:
                _keep(self._full, key, kept)
        before, after = kept
        return before + next(self._ids) + after if after else before

    def _standing(
        self, found: Found, chosen: str | None, postcode: str | None, language: str
    ) -> dict[str, Any]:
        return standing(
            chosen or found.country,
            basis=basis_of(found, chosen),
            registered=found.registered,
            postcode=postcode,
            language=language,
            zones=self._zones,
        )


def _json(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode()


def _keep(kept: dict[Key, Value], key: Key, value: Value) -> None:
    if len(kept) >= KEPT_MAX:
        kept.clear()
    kept[key] = value


def _ids() -> Iterator[bytes]:
    """Yield ids of 16 hexadecimal digits; the system is asked once for many."""
    while True:
        many = secrets.token_hex(8 * IDS_AT_ONCE).encode()
        for start in range(0, len(many), 16):
            yield many[start : start + 16]
