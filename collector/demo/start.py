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
from dataclasses import replace
from functools import partial

import click

from collector.demo import history
from collector.demo.backend import tell_names, tell_totals
from collector.demo.goods import MARKET
from collector.http.server import listen
from collector.operator.client import ask
from collector.settings import PREFIX, BadSettings, Settings, bind_parts
from collector.supervise import Child, supervise

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
    bind = environment.get(f"{PREFIX}BEACONS_BIND", "127.0.0.1:8000")
    shop = environment.get(f"{PREFIX}BEACONS_URL", f"http://{bind}").rstrip("/")
    prefix = environment.get(f"{PREFIX}PATH_PREFIX", "").rstrip("/")
    environment.setdefault(f"{PREFIX}SELLER_AREA_URL", f"{shop}{prefix}/demo/sellers")


def run(settings: Settings, days: int = history.DAYS) -> None:
    """Generate the month unless it is there, then serve until told to stop.

    Errors  BadSettings when a port is taken or the directory is not a demo's.
    """
    # Both ports before the work of a month, not after it.
    listen(settings.beacons_bind, "BEACONS_BIND").close()
    listen(settings.reports_bind, "REPORTS_BIND").close()
    held = _hold(settings)
    try:
        if not history.is_whole(settings):
            _generate(settings, days)
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
        f"{outcomes.total() - outcomes['yes']:,} were not, for want of consent or of a person.\n"
        "Opening the shop …"
    )


def _announce(settings: Settings) -> None:
    """Say where to click, once both processes answer and what waits is stored."""
    shop = f"{settings.beacons_public_url}{settings.path_prefix}/demo/"
    try:
        _get_ready(settings)
    except (OSError, RuntimeError) as error:
        click.echo(f"The demo did not get ready: {error}", err=True)
    else:
        click.echo(f"\nThe shop is open: {shop}\nCtrl-C closes it; the next start is quick.")


def _get_ready(settings: Settings) -> None:
    for name, bind in (("beacons", settings.beacons_bind), ("reports", settings.reports_bind)):
        path = f"{settings.path_prefix}/healthz"
        _wait(partial(_answers, bind, path), f"the {name} process doesn't answer")
    _wait(lambda: "Nothing waits." in ask(settings, "/status"), "visits wait to be stored")
    month = history.read(settings)
    tell_names(settings, month.last)  # at every start: the shop's address may have changed
    if not month.told:
        tell_totals(settings, month.last, month.days)
        history.note(settings, replace(month, told=True))


def _wait(is_so: Callable[[], bool], otherwise: str) -> None:
    """Return as soon as it is so.

    Errors  RuntimeError with `otherwise` after READY_SECONDS.
    """
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        try:
            if is_so():
                return
        except (OSError, http.client.HTTPException, click.ClickException):
            pass  # not there yet
        time.sleep(POLL_SECONDS)
    raise RuntimeError(otherwise)


def _answers(bind: str, path: str) -> bool:
    host, port = bind_parts(bind)
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    finally:
        connection.close()
