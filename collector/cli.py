"""What every command shares: the settings, or an end with a sentence for each bad one."""

import os
import sys

import click

from collector.settings import BadSettings, Settings, read
from collector.supervise import EXIT_BAD_SETTINGS


def settings(warn: bool = False) -> Settings:
    """Return the settings, or end with one line for every variable that can't be used."""
    try:
        found, warnings = read(os.environ)
    except BadSettings as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_BAD_SETTINGS)
    if warn:
        for warning in warnings:
            click.echo(warning, err=True)
    return found
