"""The start of the demo: its settings, its month, its two processes, and where to click.

The demo reads the environment like everything else, except for what decides whose data it is:
secret, salts and engine are its own, and its visitors are asked by our own banner. It hands out
sign-ins to whoever asks, so it must never have real numbers behind them.
"""

import fcntl
import http.client
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, MutableMapping
from functools import partial

import click

from collector.demo import history
from collector.demo.goods import MARKET, PRODUCTS
from collector.operator_client import ask
from collector.server import listen
from collector.settings import PREFIX, BadSettings, Settings, bind_parts
from collector.supervise import Child, supervise
from dashboards.catalogue import Catalogue, Listing

DEFAULTS = {
    "DATA_DIR": "demo-data",
    "TODAY_STEP_MINUTES": "0",
    "BRAND_NAME": MARKET,
    "BRAND_COLOUR": "#1d5c50",
    "HOME_COUNTRY": "GR",
    "LOG_LEVEL": "warning",
}
# Never taken from the environment.
ITS_OWN = (
    "SECRET", "SECRET_FILE", "SECRET_PREVIOUS", "SALT_DIR", "CLICKHOUSE_DSN", "CONSENT_FORMAT",
    "CONSENT_COOKIE", "CONSENT_CATEGORY", "CONSENT_COOKIE_DOMAIN",
)  # fmt: skip
READY_SECONDS = 60
POLL_SECONDS = 0.2


def prepare(environment: MutableMapping[str, str]) -> None:
    """Turn an environment into the demo's; its processes inherit it."""
    for name in ITS_OWN:
        environment.pop(PREFIX + name, None)
    for name, value in DEFAULTS.items():
        environment.setdefault(PREFIX + name, value)


def run(settings: Settings, days: int = history.DAYS) -> None:
    """Generate the month unless it is there, then serve until told to stop.

    Errors  BadSettings when a port is taken or the directory is not a demo's.
    """
    # Here, before a minute of work, not after it.
    listen(settings.beacons_bind, "BEACONS_BIND").close()
    listen(settings.reports_bind, "REPORTS_BIND").close()
    held = _hold(settings)
    try:
        if not history.is_whole(settings):
            _generate(settings, days)
        _fill_catalogue(settings)
        threading.Thread(target=_announce, args=(settings,), daemon=True, name="announce").start()
        sys.exit(supervise([Child("beacons", ["demo-beacons"]), Child("reports", ["reports"])]))
    finally:
        os.close(held)


def _hold(settings: Settings) -> int:
    """Keep a second demo out of the same directory: it would take the first one's month away."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(settings.data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise BadSettings(f"{PREFIX}DATA_DIR: another demo runs in it") from None
    return descriptor


def _generate(settings: Settings, days: int) -> None:
    # A month passes in seconds: what it says about salts and old databases would be a screenful.
    quiet = [logging.getLogger(name) for name in ("collector", "geoip")]
    for logger in quiet:
        logger.setLevel(logging.ERROR)
    with click.progressbar(length=days + 1, label="Visiting") as bar:
        outcomes = history.generate(settings, now=time.time(), days=days, advance=bar.update)
    for logger in quiet:
        logger.setLevel(logging.NOTSET)
    click.echo(
        f"{outcomes['yes']:,} beacons of {days} days and today were counted; "
        f"{outcomes.total() - outcomes['yes']:,} were not, for want of consent or of a person."
    )


def _fill_catalogue(settings: Settings) -> None:
    """Name the goods, as a marketplace does by PUT /operator/products."""
    shop = f"{settings.beacons_public_url}{settings.path_prefix}/demo/"
    Catalogue(settings.data_dir / "catalogue.sqlite").put(
        Listing(each.seller.id, each.id, each.title, shop + each.path) for each in PRODUCTS
    )


def _announce(settings: Settings) -> None:
    """Say where to click, once both processes answer and what waits is stored."""
    prefix = settings.path_prefix
    ready = all(
        _until(partial(_answers, bind, f"{prefix}/healthz"))
        for bind in (settings.beacons_bind, settings.reports_bind)
    )
    if ready and _until(lambda: "Nothing waits." in ask(settings, "/status")):
        click.echo(f"\nThe shop is open: {settings.beacons_public_url}{prefix}/demo/")
        click.echo("Ctrl-C closes it; the next start is quick.")
    else:
        click.echo("The demo did not get ready; the lines above say why.", err=True)


def _until(is_so: Callable[[], bool]) -> bool:
    """Return whether it came true within READY_SECONDS."""
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        try:
            if is_so():
                return True
        except (OSError, http.client.HTTPException, click.ClickException):
            pass  # not there yet
        time.sleep(POLL_SECONDS)
    return False


def _answers(bind: str, path: str) -> bool:
    host, port = bind_parts(bind)
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    finally:
        connection.close()
