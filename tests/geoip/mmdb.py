"""Small country databases in the shapes that publishers ship."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

from geoip.country import BUNDLED

Networks = Mapping[str, Mapping[str, Any]]

BUILT_AT = 1_781_740_800  # 2026-06-18

FLAT: Networks = {
    "80.81.0.0/16": {"country_code": "DE"},
    "81.82.0.0/16": {"country_code": "GR"},
    "2a01:4f8::/32": {"country_code": "DE"},
    "2a02:587::/32": {"country_code": "GR"},
}


class _Writer(MMDBWriter):
    """The library stamps the machine's time; a test needs to say when a file was built."""

    built_at = 0

    def _build_meta(self) -> dict[str, Any]:
        return {**super()._build_meta(), "build_epoch": self.built_at}


def write(
    path: Path,
    networks: Networks,
    *,
    kind: str = "Test-Country",
    version: int = 6,
    built_at: int = BUILT_AT,
) -> Path:
    """Write a database of `networks` to `path` in one step, as a careful publisher would."""
    writer = _Writer(ip_version=version, database_type=kind, ipv4_compatible=version == 6)
    writer.built_at = built_at
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), dict(record))
    unfinished = path.with_suffix(".part")
    writer.to_db_file(str(unfinished))
    unfinished.replace(path)
    return path


def nested(country: str | None, registered: str | None = None) -> dict[str, Any]:
    """Return a record in MaxMind's shape, with an EU flag that is always wrong."""
    record: dict[str, Any] = {}
    if country is not None:
        record["country"] = {"iso_code": country, "is_in_european_union": country == "AX"}
    if registered is not None:
        record["registered_country"] = {"iso_code": registered}
    return record


# What may stand where a database should, and what the refusal says.
BAD_FILES = {
    "empty": (b"", "it is empty"),
    "text": (b"country,DE\n" * 50, "it is not a whole MMDB file"),
    "first half": (BUNDLED.read_bytes()[: BUNDLED.stat().st_size // 2], "not a whole MMDB file"),
    "without its end": (BUNDLED.read_bytes()[:-200], "not a whole MMDB file"),
    "without its middle": (
        BUNDLED.read_bytes()[:100_000] + BUNDLED.read_bytes()[-5000:],
        # An older library opens it; then it can't be read through.
        "not a whole MMDB file|networks can't all be read",
    ),
}
