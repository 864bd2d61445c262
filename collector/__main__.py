"""The command line. Each command imports what it needs when it runs, so that `collector key`
does not load a database engine and a shell completes without a wait.
"""

import os
import re
import sys
import time
from collections.abc import Callable

import click

from collector import __version__
from collector.cli import settings
from collector.operator import asking
from collector.settings import BadSettings, Settings
from collector.supervise import EXIT_BAD_SETTINGS
from collector.tokens import SCOPES

DURATION = re.compile(r"([0-9]+)([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def starting(command: Callable[[Settings], None]) -> None:
    """Run a server; a setting that only shows itself now ends it with its sentence."""
    from collector.http.server import configure_logging
    from collector.supervise import end_with_supervisor

    found = settings(warn="COLLECTOR_WATCH_FD" not in os.environ)
    configure_logging(found.log_level)
    end_with_supervisor()
    try:
        command(found)
    except BadSettings as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_BAD_SETTINGS)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="collector")
def main() -> None:
    """Privacy-preserving visitor statistics for a marketplace.

    Settings come from the environment, with the prefix COLLECTOR_ (see docs/settings.md). Exit
    status: 0 done, 1 failed, 2 wrong usage, 78 bad settings.
    """


@main.command()
def serve() -> None:
    """Start and watch both processes: beacons (8000) and reports (8001)."""
    from collector.supervise import Child, supervise

    def run(found: Settings) -> None:
        click.echo(f"beacons: {found.beacons_public_url}   reports: {found.reports_public_url}")
        children = [Child("beacons", ["beacons"]), Child("reports", ["reports"])]
        sys.exit(supervise(children))

    starting(run)


@main.command()
@click.option("--workers", type=click.IntRange(1, 64), help="Default: COLLECTOR_WORKERS.")
def beacons(workers: int | None) -> None:
    """Answer product pages (port 8000)."""
    from collector.http.server import listen
    from collector.supervise import Child, supervise

    def run(found: Settings) -> None:
        listener = listen(found.beacons_bind, "BEACONS_BIND")
        count = workers or found.workers
        if count == 1:
            from collector.serve_beacons import run as run_worker

            run_worker(found, listener)
            return
        fd = listener.fileno()
        children = [
            Child(f"beacons worker {number}", ["worker", "--fd", str(fd)], (fd,))
            for number in range(1, count + 1)
        ]
        sys.exit(supervise(children))

    starting(run)


@main.command(hidden=True)
@click.option("--fd", type=int, required=True, help="The listening socket.")
def worker(fd: int) -> None:
    """One of several beacons workers; `collector beacons` starts it."""
    import socket

    from collector.serve_beacons import run

    starting(lambda found: run(found, socket.socket(fileno=fd)))


@main.command()
def reports() -> None:
    """Store what beacons kept, close days, answer sellers (port 8001)."""
    from collector.http.server import listen
    from collector.serve_reports import run

    starting(lambda found: run(found, listen(found.reports_bind, "REPORTS_BIND")))


@main.command()
@click.option("--days", type=click.IntRange(0, 30), default=30, hidden=True)
def demo(days: int) -> None:
    """Start a demo: a shop, its sellers and a month of generated visits, in ./demo-data.

    It has a secret, salts and an engine of its own. COLLECTOR_DATA_DIR names another directory, an
    empty one; COLLECTOR_BEACONS_BIND and COLLECTOR_REPORTS_BIND other ports.
    """
    from collector.demo.start import prepare, run

    prepare(os.environ)
    starting(lambda found: run(found, days))


@main.command(hidden=True)
def demo_beacons() -> None:
    """The demo's shop, with beacons behind it; `collector demo` starts it."""
    from collector.demo.serve import run
    from collector.http.server import listen

    starting(lambda found: run(found, listen(found.beacons_bind, "BEACONS_BIND")))


@main.command()
@click.argument("purpose", type=click.Choice(["page-tag", "token", "operator"]))
def key(purpose: str) -> None:
    """Print a derived key for a backend, as base64url."""
    from typing import cast

    from collector import keys, secret

    try:
        derived = keys.derive(secret.load(settings()), cast(keys.Purpose, purpose))
    except BadSettings as error:
        raise click.ClickException(str(error)) from None
    click.echo(keys.base64url(derived))


@main.command()
@click.option("--scope", type=click.Choice(SCOPES), required=True)
@click.option("--seller", help="Whose numbers; needed for stats.")
@click.option("--product", "products", multiple=True, help="Only these products; may be repeated.")
@click.option("--ttl", help="How long it lives: 90s, 30m, 1h, 7d.")
def token(scope: str, seller: str | None, products: tuple[str, ...], ttl: str | None) -> None:
    """Print a signed token."""
    from collector import keys, secret, tokens

    operator = scope == "operator" or (scope == "login" and seller is None)
    try:
        secret_bytes = secret.load(settings())
        signed = tokens.mint(
            scope,
            keys.derive(secret_bytes, "operator" if operator else "token"),
            now=int(time.time()),
            seller=seller,
            products=products or None,
            ttl_seconds=None if ttl is None else _duration(ttl),
        )
    except (BadSettings, ValueError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(signed)


def _duration(text: str) -> int:
    match = DURATION.fullmatch(text)
    if match is None:
        raise ValueError("ttl: must be a number with s, m, h or d, for example 1h")
    return int(match[1]) * SECONDS[match[2]]


@main.command()
@click.option("--seller", help="Only this seller's; without it everybody's.")
def revoke(seller: str | None) -> None:
    """Refuse every token and session issued until now, and end share links."""
    from collector.operator.commands import revoke as run
    from dashboards.shares import FILE_NAME, Shares

    now, known = int(time.time()), settings()
    try:
        sentence = run(known, seller, now)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    links = known.data_dir / FILE_NAME
    # Where there are none yet, the reports process makes the file, as the user that it runs as.
    if links.exists() and (ended := Shares(links).end_all(seller)):
        sentence += f" Share links ended: {ended}."
    # Tokens carry whole seconds; one issued after this command has returned must be good.
    time.sleep(max(0.0, now + 1 - time.time()))
    click.echo(sentence)


@main.command()
@click.argument("seller")
@click.argument("product")
def snippet(seller: str, product: str) -> None:
    """Print what to paste into a product's page."""
    from collector.page.snippet import snippets

    try:
        click.echo(snippets(settings(), seller, product))
    except (BadSettings, ValueError) as error:
        raise click.ClickException(str(error)) from None


@main.command()
@click.argument("url")
def check(url: str) -> None:
    """Say why a product's page counts, or why it doesn't and what to change."""
    from collector.check.verdicts import check as run
    from collector.check.verdicts import expected, report

    try:
        findings = run(url, expected(settings()))
    except (BadSettings, ValueError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(report(findings))
    sys.exit(any(each.ok is False for each in findings))


@main.group()
def geoip() -> None:
    """The country database of the location door."""


@geoip.command("update")
def geoip_update() -> None:
    """Fetch a new country database, check it, and put it in place."""
    from geoip.__main__ import main as run

    sys.exit(run(["update"]))


for command in asking.COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    main()
