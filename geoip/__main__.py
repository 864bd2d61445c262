"""`python -m geoip`: the location door alone, for a shop that wants no statistics at all.

A composition root: it reads the environment and the clock, and hands them on. With `update` it
fetches a new database instead of serving.
"""

import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from collector import secret
from collector.access import Access
from collector.address import ClientAddress
from collector.assembling import assembling
from collector.http import readiness
from collector.http.express import Lanes, lanes_at_once
from collector.http.server import configure_logging, listen, serve
from collector.settings import BadSettings, Settings, read, trusted_networks
from geoip.app import PATH, Application, Scope
from geoip.browser import READ
from geoip.exchange import Receive, Send
from geoip.question import BODY_BYTES_MAX
from geoip.update import UpdateRefused, update
from geoip.wiring import assemble

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_BAD_SETTINGS = 78

_log = logging.getLogger("geoip")


class _Alone:
    """The door and what it answers by the express way (see `collector.http.express`)."""

    def __init__(self, application: Application, express: Lanes) -> None:
        self._application = application
        self.express = express

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(scope, receive, send)


def main(arguments: Sequence[str]) -> int:
    """Serve, or update the database; return the exit status."""
    if list(arguments) not in ([], ["update"]):
        print("usage: python -m geoip [update]", file=sys.stderr)  # noqa: T201  # a command's usage
        return EXIT_USAGE
    try:
        settings, warnings = read(os.environ)
        configure_logging(settings.log_level)
        for warning in warnings:
            _log.warning("%s", warning)
        if arguments:
            return _update(settings)
        _serve(settings)
    except BadSettings as error:
        print(error, file=sys.stderr)  # noqa: T201  # before a log could be trusted
        return EXIT_BAD_SETTINGS
    return 0


def _update(settings: Settings) -> int:
    try:
        sentence = update(
            data_dir=settings.data_dir,
            own=settings.geoip_database,
            url=settings.geoip_url,
            account=settings.geoip_account,
            licence_key=settings.geoip_licence_key,
            now=time.time(),
        )
    except UpdateRefused as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201  # the command's result
        return EXIT_FAILED
    print(sentence)  # noqa: T201  # the command's result
    return 0


def _serve(settings: Settings) -> None:
    forwarders: list[str] = []
    with assembling():
        access = Access.of(settings.data_dir, secret.load(settings), time.time)
        door = assemble(
            settings,
            authorise=access.authorise,
            client_address=ClientAddress(
                trusted_networks(settings, settings.beacons_bind), forwarders.append
            ),
            clock=time.time,
        )

    def state() -> readiness.State:
        return readiness.State(warnings=[*door.notices(), *forwarders])

    @asynccontextmanager
    async def lifespan(application: Starlette) -> AsyncIterator[None]:
        yield
        access.close()

    prefix = settings.path_prefix
    rest = Starlette(routes=readiness.routes(state, prefix), lifespan=lifespan)
    application = _Alone(
        door.before(rest, prefix),
        lanes_at_once(f"{prefix}{PATH}", READ, door.at_once, BODY_BYTES_MAX),
    )
    listener = listen(settings.beacons_bind, "BEACONS_BIND")
    _log.info("the location door alone, on %s", settings.beacons_public_url)
    serve(application, listener)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
