"""The image, without an engine: the Dockerfile read, and its steps replayed in an empty folder.

Every path of the image lies below that folder. What a step would download is not: it is replaced by
a path to the packages that these tests run with, which are the locked ones.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.tree import ROOT

STEP_SECONDS = 120
PLACES = ("/opt/collector", "/build", "/data")


class Step(NamedTuple):
    """One instruction: its stage from 0, its name, and what follows on the line."""

    stage: int
    name: str
    rest: str


def steps() -> list[Step]:
    """Return the Dockerfile's instructions."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    found: list[Step] = []
    stage = -1
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            stage += name == "FROM"
            found.append(Step(stage, name, rest))
    return found


def last(name: str) -> str:
    """Return what follows an instruction of the last stage."""
    return [step.rest for step in steps() if step.name == name and step.stage == 1][-1]


def variables(stage: int = 1) -> dict[str, str]:
    """Return a stage's ENV, by default the last one's."""
    said = [step.rest for step in steps() if step.name == "ENV" and step.stage == stage]
    return dict(pair.split("=", 1) for pair in shlex.split(" ".join(said)))


@dataclass
class Replay:
    """The image's file system, below a folder."""

    folder: Path

    def place(self, text: str) -> str:
        """Return a step's text with the image's paths below the folder."""
        for place in PLACES:
            text = re.sub(rf"(?<![\w./]){place}\b", f"{self.folder}{place}", text)
        return text

    def build(self) -> None:
        """Take the first stage's steps, and the second's copies."""
        base = self.folder / "base"
        base.mkdir()
        python = Path(sys.base_prefix) / "bin" / "python3"
        (base / "python").symlink_to(python)
        (base / "pip").write_text(f'#!/bin/sh\nexec {python} -m pip "$@"\n')
        (base / "pip").chmod(0o755)
        (self.folder / "build").mkdir()
        for step in steps():
            if step.name == "RUN":
                self._run(step.rest)
            elif step.name == "COPY":
                self._copy(shlex.split(step.rest))

    def environment(self) -> dict[str, str]:
        """Return what a container has: the image's ENV, no home and no word of this machine."""
        own = {name: self.place(value) for name, value in variables().items()}
        own["PATH"] = own["PATH"].replace("$PATH", os.environ["PATH"])
        return own

    def command(self) -> list[str]:
        """Return ENTRYPOINT and CMD."""
        return [*_words(last("ENTRYPOINT")), *_words(last("CMD"))]

    def health(self) -> list[str]:
        """Return the health check's command."""
        return _words(last("HEALTHCHECK").split(" CMD ", 1)[1])

    def _run(self, line: str) -> None:
        if "--require-hashes" in line:
            self._lead_to_packages(line)
            return
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        path = f"{self.folder / 'base'}:/usr/bin:/bin"
        done = subprocess.run(
            ["/bin/sh", "-euc", self.place(line)],
            cwd=self.folder / "build",
            env=variables(stage=0) | {"PATH": path, "HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}"
        assert not any(home.iterdir()), "a step wrote into the home"

    def _lead_to_packages(self, line: str) -> None:
        found = re.fullmatch(r"pip --python (\S+) install --require-hashes -r (\S+)", line)
        assert found is not None, f"not replayed: {line}"
        assert (self.folder / "build" / found[2]).is_file(), f"{found[2]} was not copied"
        environment = self.folder / "build" / self.place(found[1])
        (site,) = (environment / "lib").glob("python*/site-packages")
        (site / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def _copy(self, words: list[str]) -> None:
        sources = [word for word in words if not word.startswith("--")]
        target = sources.pop()
        if any(word.startswith("--from=build") for word in words):
            source = Path(self.place(sources[0]))
            if source != Path(self.place(target)):
                shutil.copytree(source, self.place(target))
            return
        for name in sources:
            assert f"!{name.rstrip('/')}" in (ROOT / ".dockerignore").read_text().split(), name
            kept = self.folder / "build" / (target if target != "./" else name)
            if name.endswith("/"):
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / name, kept, ignore=ignored)
            else:
                shutil.copy(ROOT / name, kept)


def _words(text: str) -> list[str]:
    """Return an instruction's command, which is written as JSON so that no shell is between."""
    found = json.loads(text)
    assert isinstance(found, list)
    return [str(word) for word in found]
