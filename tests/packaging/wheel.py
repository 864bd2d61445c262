"""The wheel, built from this tree and installed with pip into an environment of its own.

What the wheel needs is not downloaded again: a path in the environment leads to the packages that
these tests run with. A plain path: the checkout's own entry there is not followed.
"""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tests.tree import ROOT

BUILD_SECONDS = 120
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Installed:
    """An installed wheel.

    wheel   the file
    bin     where `python` and `collector` are
    folder  an empty directory to work in, which is also the home
    """

    wheel: Path
    bin: Path
    folder: Path

    def environment(self, own: Mapping[str, str]) -> dict[str, str]:
        """Return an environment in which nothing leads back to the checkout.

        own  settings and other variables, by their whole names
        """
        path = f"{self.bin}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.folder), "LANG": "C.UTF-8", **own}

    def run(self, *arguments: str, own: Mapping[str, str] = NOTHING, expect: int = 0) -> str:
        """Run a command of `collector` to its end; return what it printed, on either stream."""
        done = subprocess.run(
            [str(self.bin / "collector"), *arguments],
            env=self.environment(own),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == expect, done.stdout
        return done.stdout


def install(folder: Path) -> Installed:
    """Build the wheel and install it below a folder."""
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist"))
    (wheel,) = (folder / "dist").glob("*.whl")
    environment = folder / "environment"
    _run(sys.executable, "-m", "venv", "--without-pip", str(environment))
    python = environment / "bin" / "python"
    # The base's pip: an environment that make sets up has none of its own.
    base = str(Path(sys.base_prefix) / "bin" / "python3")
    pip = (
        base,
        "-m",
        "pip",
        "--python",
        str(python),
        "--disable-pip-version-check",
    )
    _run(*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    (site,) = (environment / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    home = folder / "home"
    home.mkdir()
    return Installed(wheel, environment / "bin", home)


def _run(*command: str) -> None:
    kept = {name: value for name, value in os.environ.items() if "COLLECTOR_" not in name}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
