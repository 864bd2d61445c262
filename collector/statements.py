"""Statements: SQL found by its file's name in `queries/`, one question a file."""

from functools import cache
from importlib import resources


@cache
def statement(name: str) -> str:
    """Return the SQL of `queries/NAME.sql`. A missing file is a bug of ours."""
    return resources.files("collector").joinpath("queries", f"{name}.sql").read_text("utf-8")
