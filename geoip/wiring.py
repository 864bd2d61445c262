"""The door put together from plain settings, once for both composition roots."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from geoip import zones
from geoip.app import Authorise, ClientAddress, Location
from geoip.browser import Site
from geoip.country import Countries
from geoip.territory import COUNTRIES
from geoip.update import fetched_path


class LocationSettings(Protocol):
    """What the operator may say about this door, as both composition roots' settings have it.

    geoip_database      a file of the operator's own; None leaves fetched and bundled ones
    zones_file          None is the shipped table
    home_country        ISO 3166-1 alpha-2, or empty
    beacons_public_url  how browsers reach this server, without a path
    origins             other origins whose pages may read and write the choice
    """

    @property
    def data_dir(self) -> Path: ...
    @property
    def beacons_public_url(self) -> str: ...
    @property
    def geoip_database(self) -> Path | None: ...
    @property
    def zones_file(self) -> Path | None: ...
    @property
    def home_country(self) -> str: ...
    @property
    def origins(self) -> tuple[str, ...]: ...


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
            own=settings.geoip_database, fetched=fetched_path(settings.data_dir), clock=clock
        ),
        zones=table,
        site=Site(url=settings.beacons_public_url, origins=settings.origins),
        clock=clock,
    )
