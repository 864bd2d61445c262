"""Shipping zones: the marketplace's own table from a zone's name to countries.

A country is in at most one zone, one zone is the `rest`, and `home` stands for the marketplace's
own country. The file is read once, at start; an error names its line.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from geoip.territory import COUNTRIES

SHIPPED = Path(__file__).parent / "data" / "zones.toml"
FILE_BYTES_MAX = 64 * 1024
HOME = "home"
REST = "rest"

_CODE_SHAPE = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Zones:
    """Which zone each country is in; `rest` takes all that no zone names."""

    by_country: dict[str, str]
    rest: str

    def zone(self, country: str | None) -> str | None:
        """Return the country's zone; None without a country, because nobody ships to nowhere."""
        return None if country is None else self.by_country.get(country, self.rest)


def read(path: Path, *, home: str | None) -> Zones:
    """Read and check the file at `path`.

    home    the marketplace's own country, or None
    Errors  ValueError with a sentence that names the file, the line and what would do.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: can't be read: {error.strerror}") from None
    if len(content) > FILE_BYTES_MAX:
        raise ValueError(f"{path}: {len(content)} bytes, at most {FILE_BYTES_MAX} are read")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {line}: not UTF-8") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        end = f"(at line {content.count(10) + 1})"
        reason = str(error).replace("(at end of document)", end)
        raise ValueError(f"{path}: not TOML: {reason}") from None
    return _Reading(path, text, home).zones(table)


class _Reading:
    """One pass over the table, remembering where things stood for the errors."""

    def __init__(self, path: Path, text: str, home: str | None) -> None:
        self._path = path
        self._lines = text.splitlines()
        self._home = home
        self._zone_of: dict[str, str] = {}
        self._rest: list[str] = []

    def zones(self, table: dict[str, object]) -> Zones:
        for zone, entry in table.items():
            if entry == REST:
                self._rest.append(zone)
            elif isinstance(entry, list):
                for code in entry:
                    self._take(zone, code)
            else:
                self._refuse(zone, None, f'must be a list of countries, or "{REST}"')
        if len(self._rest) != 1:
            extra = self._rest[1] if self._rest else None
            self._refuse(extra, None, f'exactly one zone must be "{REST}", {len(self._rest)} are')
        home_zone = self._zone_of.pop(HOME, None)
        if home_zone is not None and self._home is not None:
            # Home wins over a list that names the country too, so that one file serves shops in
            # any country.
            self._zone_of[self._home] = home_zone
        return Zones(dict(self._zone_of), self._rest[0])

    def _take(self, zone: str, code: object) -> None:
        if not isinstance(code, str) or (code != HOME and code not in COUNTRIES):
            known = isinstance(code, str) and _CODE_SHAPE.fullmatch(code)
            shown = f"{code} is" if known else "there is something that is"
            self._refuse(
                zone, code, f'{shown} not a country; codes look like "DE" (Greece is GR), or "home"'
            )
            return
        if code in self._zone_of:
            self._refuse(zone, code, f"{code} is already in {self._zone_of[code]!r}")
        self._zone_of[code] = zone

    def _refuse(self, zone: str | None, code: object, message: str) -> None:
        line = self._line(zone, code)
        where = f"{self._path}, line {line}" if line else str(self._path)
        raise ValueError(f"{where}: {f'zone {zone!r}: ' if zone else ''}{message}")

    def _line(self, zone: str | None, code: object) -> int | None:
        """Return the line of a code in a zone, or of the zone; tomllib doesn't tell."""
        if zone is None:
            return None
        start = None
        for number, line in enumerate(self._lines, 1):
            key = line.partition("=")[0].strip().strip("[] \"'")
            if start is None and key == zone:
                start = number
            # The last line of the zone that holds the code: a repetition is the second one.
            if start is not None and code is not None and _holds(line, code):
                return number
        return start


def _holds(line: str, code: object) -> bool:
    bare = line.partition("#")[0]
    return (
        f'"{code}"' in bare
        or f"'{code}'" in bare
        or (not isinstance(code, str) and str(code).lower() in bare.lower())
    )
