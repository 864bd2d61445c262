"""The programs of docs/signing.md, run by the interpreters that a backend would run them with."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.tree import ROOT

TEXT = (ROOT / "docs" / "signing.md").read_text("utf-8")
PROGRAMS = {"python": sys.executable, "php": "php", "ruby": "ruby", "javascript": "node"}
KEYS = {"page-tag": "PAGE_TAG", "token": "TOKEN", "operator": "OPERATOR"}
SUFFIXES = {"python": "py", "php": "php", "ruby": "rb", "javascript": "js"}


def source(language: str) -> str:
    """Return the document's program in a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(found) == 1, f"{len(found)} programs in {language}"
    return str(found[0])


def environment(keys: Mapping[str, str]) -> dict[str, str]:
    """Return a backend's environment: its derived keys, by their purposes, and nothing of ours."""
    named = {f"COLLECTOR_{KEYS[purpose]}_KEY": value for purpose, value in keys.items()}
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC"} | named


def run(
    language: str, folder: Path, keys: Mapping[str, str], *arguments: str, at: str | None = None
) -> str:
    """Run a program as a backend would, and return what it printed.

    at   the time on its clock, which then stands still: "2027-01-15 08:00:00"
    """
    program = shutil.which(PROGRAMS[language])
    assert program is not None, f"{language}: `make test` installs it"
    path = folder / f"signing.{SUFFIXES[language]}"
    path.write_text(source(language), "utf-8")
    clock = ["faketime", "-f", at] if at is not None else []
    done = subprocess.run(
        [*clock, program, str(path), *arguments],
        env=environment(keys),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.removesuffix("\n")
