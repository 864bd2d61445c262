"""The operator's commands that ask the running reports process, over its socket."""

import http.client
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO
from urllib.parse import urlencode

import click

from collector.cli import settings
from collector.settings import Settings

LANGUAGES = ("en", "de", "fr", "nl", "el", "lv")


def _ask(path: str, method: str = "GET", **query: str | None) -> None:
    from collector.operator import client

    given = urlencode({name: value for name, value in query.items() if value is not None})
    click.echo(client.ask(settings(), f"{path}?{given}", method), nl=False)


@click.command()
def status() -> None:
    """Say in one sentence whether all is well, then the rest."""
    _ask("/status")


@click.command("close-day")
@click.option("--day", help="YYYY-MM-DD; without it yesterday.")
def close_day(day: str | None) -> None:
    """Close a day that is over now, without waiting for its salt's time."""
    yesterday = datetime.now(settings().timezone).date() - timedelta(days=1)
    _ask("/close-day", "POST", day=day or yesterday.isoformat())


@click.command("forget-seller")
@click.argument("seller")
def forget_seller(seller: str) -> None:
    """Remove every row of a seller, for ever; say what was removed."""
    _ask("/forget-seller", "POST", seller=seller)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write all counts, and only those, to FILE while everything goes on."""
    click.echo(_backup(settings(), file))


@click.command()
@click.argument("file", type=click.File("rb"))
def restore(file: IO[bytes]) -> None:
    """Put a backup's counts back; a day that is here already is not doubled."""
    from collector.operator import client

    answer = client.request(settings(), "POST", "/restore", file)
    click.echo(answer.read().decode(), nl=False)


@click.command("privacy-report")
@click.option("--format", "form", type=click.Choice(["md", "json"]), default="md")
@click.option("--at", help="What was exposed then: 2026-01-31T14:30. Without it now.")
def privacy_report(form: str, at: str | None) -> None:
    """Tell a data protection officer what is kept, read from the live system."""
    _ask("/privacy-report", format=form, at=at)


@click.command("privacy-text")
@click.option("--lang", type=click.Choice(LANGUAGES), required=True)
def privacy_text(lang: str) -> None:
    """Write the paragraph and the cookie table for the shop's own policy."""
    _ask("/privacy-text", lang=lang)


COMMANDS = (status, close_day, forget_seller, backup, restore, privacy_report, privacy_text)


def _backup(found: Settings, file: Path) -> str:
    from collector.operator.client import request

    answer = request(found, "GET", "/backup")
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        with unfinished.open("wb") as out:
            shutil.copyfileobj(answer, out)
        unfinished.replace(file)
    except OSError as error:
        raise click.ClickException(f"{file}: can't be written ({error.strerror})") from None
    except http.client.HTTPException:
        raise click.ClickException("The reports process stopped before the backup's end.") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return f"{file}: counts only. The secret isn't in it; keep that elsewhere."
