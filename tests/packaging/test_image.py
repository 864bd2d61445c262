"""The image: its steps work in a clean folder, and what it starts writes its data and no more."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from collector.settings import Settings
from tests.journeys import backend
from tests.journeys.asking import ask, eventually
from tests.journeys.processes import descendants, held_port, is_over
from tests.journeys.running import FIREFOX, GRANTED
from tests.packaging.image import Replay, last, steps, variables

NOBODY = 10001
SECRET = "an-invented-secret-of-enough-bytes"
CHANGING = (
    "creat,open,openat,mkdir,mkdirat,rename,renameat,renameat2,"
    "unlink,unlinkat,link,linkat,symlink,symlinkat"
)
# The kernel's own, and a container's tmpfs.
NOT_THE_ROOT = ("/dev/", "/proc/", "/tmp/", "/sys/")


@pytest.fixture(scope="module")
def image() -> Iterator[Replay]:
    """The replayed image, outside of pytest's folders: those let nobody else in."""
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        Path(folder).chmod(0o755)
        replay = Replay(Path(folder))
        replay.build()
        yield replay


def test_the_image_is_slim_and_runs_as_nobody() -> None:
    """One pinned base for both stages; a user by number, who has no rights and no name; every
    variable a setting."""
    bases = {step.rest.split()[0] for step in steps() if step.name == "FROM"}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}", bases.pop())
    assert last("USER") == f"{NOBODY}:{NOBODY}"
    names = {name.removeprefix("COLLECTOR_").lower() for name in variables() if "COLLECTOR" in name}
    assert names <= set(Settings.model_fields)
    assert last("VOLUME") == variables()["COLLECTOR_DATA_DIR"]
    ports = {variables()[f"COLLECTOR_{name}_BIND"].split(":")[1] for name in ("BEACONS", "REPORTS")}
    assert set(last("EXPOSE").split()) == ports


@contextmanager
def container(image: Replay, trace: Path, own: dict[str, str]) -> Iterator[None]:
    """Run the image's command as its user, noting every call that changes a file system."""
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    python = image.folder / "opt" / "collector" / "bin" / "python"
    if os.geteuid() == 0 and runs([*user, "/bin/sh", "-c", f"{python} -c ''"]):
        shutil.chown(image.folder / "data", NOBODY, NOBODY)
    else:
        user = []  # only root may become somebody else, and this Python may be root's alone
    strace = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", f"trace={CHANGING}", "-o", str(trace)]
    with trace.with_suffix(".output").open("ab") as output:
        process = subprocess.Popen(
            [*strace, *user, *image.command()],
            env=image.environment() | own,
            cwd=image.folder / "data",
            stdout=output,
            stderr=output,
        )
    try:
        yield
    finally:
        below = descendants(process.pid)
        for pid in below[:1]:
            os.kill(pid, 15)
        assert process.wait(60) == 0
        for pid in below:
            eventually(partial(is_over, pid), f"the end of {pid}")


def runs(command: list[str]) -> bool:
    """Return whether a command ends well."""
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


def written(trace: Path) -> set[str]:
    """Return the absolute paths that were opened for writing, made, renamed or removed."""
    found = set()
    for line in trace.read_text("utf-8", "replace").splitlines():
        failed = re.search(r"= -1 E", line)
        opened = re.search(r"\bopen(at)?\(", line)
        if failed or (opened and not re.search(r"O_(WRONLY|RDWR|CREAT)", line)):
            continue
        found |= set(re.findall(r'"(/[^"]*)"', line))
    return found


def healthy(image: Replay, own: dict[str, str]) -> bool:
    """Run the image's health check."""
    environment = image.environment() | own
    done = subprocess.run(
        image.health(), env=environment, timeout=30, check=False, capture_output=True
    )
    return done.returncode == 0


@pytest.mark.slow
def test_a_container_counts_and_writes_its_data_only(image: Replay, tmp_path: Path) -> None:
    """As a user without rights, name or home, where this machine allows it: healthy, a visit
    counts, a country is found. Not one file outside of /data is written, so the rest may be
    read-only."""
    trace = tmp_path / "trace"
    with held_port("0.0.0.0") as one, held_port("0.0.0.0") as other:
        beacons, reports = one.getsockname()[1], other.getsockname()[1]
        own = {
            "COLLECTOR_SECRET": SECRET,
            "COLLECTOR_BEACONS_BIND": f"0.0.0.0:{beacons}",
            "COLLECTOR_REPORTS_BIND": f"0.0.0.0:{reports}",
        }
        assert not healthy(image, own), "nothing runs yet"
        with container(image, trace, own):
            said = trace.with_suffix(".output").read_text
            eventually(lambda: healthy(image, own), f"health: {said()}")
            signature = backend.page_tag(SECRET, "anna", "teapot")
            path = f"/pixel.gif?seller=anna&product=teapot&sig={signature}"
            browser = {"User-Agent": FIREFOX, "Cookie": GRANTED}
            assert ask(beacons, "GET", path, browser).counted == "yes"
            assert ask(reports, "GET", "/dashboard/").status == 401
            assert ask(beacons, "GET", "/location").status == 200
    data = f"{image.folder}/data"
    changed = written(trace)
    assert any(path.startswith(f"{data}/spool/") for path in changed), "the trace saw nothing"
    inside = str(image.folder)
    root = {
        path for path in changed if path.startswith(inside) or not path.startswith(NOT_THE_ROOT)
    }
    assert {path for path in root if not path.startswith(data)} == set()
