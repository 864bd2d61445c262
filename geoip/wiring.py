"""The door put together from plain settings, once for both composition roots."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from geoip import zones
from geoip.app import Authorise, ClientAddress, Location
from geoip.browser import Site
from geoip.country import Countries
from geoip.territory import COUNTRIES
from geoip.update import fetched_path


@dataclass(frozen=True, slots=True)
class LocationSettings:
    """What the operator may say about this door.

    database        a file of the operator's own; None leaves fetched and bundled ones
    zones_file      None is the shipped table
    home_country    ISO 3166-1 alpha-2, or empty
    url             how browsers reach this server, without a path
    origins         other origins whose pages may read and write the choice
    """

    data_dir: Path
    url: str
    database: Path | None = None
    zones_file: Path | None = None
    home_country: str = ""
    origins: tuple[str, ...] = ()


def assemble(
    settings: LocationSettings,
    *,
    authorise: Authorise,
    client_address: ClientAddress,
    clock: Callable[[], float],
) -> Location:
    """Return the door, ready to be mounted.

    authorise       raises PermissionError with a sentence when the header grants nothing
    client_address  the browser's address by the proxy rules, or None
    clock           seconds since 1970
    Errors          ValueError with a sentence: a bad HOME_COUNTRY or ZONES_FILE.
    """
    home = settings.home_country or None
    if home is not None and home not in COUNTRIES:
        raise ValueError("HOME_COUNTRY: must be an ISO 3166-1 code such as DE (Greece is GR)")
    try:
        table = zones.read(settings.zones_file or zones.SHIPPED, home=home)
    except ValueError as error:
        raise ValueError(f"ZONES_FILE: {error}") from None
    return Location(
        authorise=authorise,
        client_address=client_address,
        countries=Countries(
            own=settings.database, fetched=fetched_path(settings.data_dir), clock=clock
        ),
        zones=table,
        site=Site(url=settings.url, origins=settings.origins),
        clock=clock,
    )
