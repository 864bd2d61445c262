"""docs/afternoon.md: what it says to type is typed, in order, and ends with numbers."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.documents import blocks, rows, text
from tests.journeys.asking import ask, eventually
from tests.journeys.processes import held_port, is_over
from tests.journeys.running import FIREFOX, GRANTED
from tests.tree import ROOT

CONTENT = text("afternoon.md")
MAPPED = ("/opt/collector", "/etc/collector", "/etc/systemd", "/var/lib/collector")
# What stands in a sentence and is not typed here, and where it is.
ELSEWHERE = {
    "make run": "journeys/test_demo.py",
    "docker compose --profile single up -d": "packaging/test_compose.py",
    "collector check https://shop.example/products/teapot-1": "journeys/test_check.py",
}
# Stand-ins for what changes the machine itself. `systemctl enable --now` runs the unit's own
# command with the unit's own settings; `pip` doesn't download what these tests run with.
SUDO = '#!/bin/sh\nexec "$@"\n'
NOTHING = "#!/bin/sh\nexit 0\n"
INSTALL = '#!/bin/sh\nexec mkdir -p "$5"\n'
SYSTEMCTL = """#!/bin/sh
[ "$1" = enable ] || exit 0
unit={root}/etc/systemd/system/collector.service
settings=$(sed -n 's/^EnvironmentFile=//p' $unit)
command=$(sed -n 's/^ExecStart=//p' $unit)
set -a; . {root}$settings; set +a
cd {root} && exec setsid {root}$command > {root}/output 2>&1 &
echo $! > {root}/pid
"""
PYTHON = """#!/bin/sh
case "$*" in
*--require-hashes*) echo {site} > {root}/opt/collector/lib/{version}/site-packages/locked.pth;;
*) exec {python} "$@";;
esac
"""


def in_sentences() -> list[str]:
    """Return the commands that stand in the document's sentences, with their arguments."""
    prose = re.sub(r"^```.*?^```$", "", CONTENT, flags=re.MULTILINE | re.DOTALL)
    return [
        found
        for found in re.findall(r"`([^`\n]+)`", prose)
        if re.match(r"(collector|make|docker|sudo|curl|systemctl) ", found)
    ]


@contextmanager
def machine(root: Path) -> Iterator[dict[str, str]]:
    """Give an environment in which the commands change only what is below a folder."""
    bin_, version = root / "bin", f"python{sys.version_info.major}.{sys.version_info.minor}"
    for folder in (bin_, root / "etc/systemd/system", root / "etc/collector"):
        folder.mkdir(parents=True)
    programs = {"sudo": SUDO, "useradd": NOTHING, "install": INSTALL}
    programs["systemctl"] = SYSTEMCTL.format(root=root)
    programs["python3"] = PYTHON.format(
        site=sysconfig.get_path("purelib"),
        root=root,
        version=version,
        python=Path(sys.base_prefix) / "bin" / "python3",
    )
    for name, program in programs.items():
        (bin_ / name).write_text(program)
        (bin_ / name).chmod(0o755)
    try:
        yield {"PATH": f"{bin_}:{root}/opt/collector/bin:/usr/bin:/bin", "HOME": str(root)}
    finally:
        if (root / "pid").exists():
            started = int((root / "pid").read_text())
            os.killpg(started, signal.SIGTERM)
            eventually(partial(is_over, started), "the end of the unit's command")


def mapped(script: str, root: Path, reports: int) -> str:
    """Return a block with its places below a folder, and the test's port."""
    for place in MAPPED:
        script = script.replace(place, f"{root}{place}")
    return script.replace("127.0.0.1:8001", f"127.0.0.1:{reports}")


def typed(script: str, environment: dict[str, str], root: Path) -> str:
    """Type a block into a shell, in a checkout; return what it printed."""
    settings = root / "etc/collector/settings"
    lines = f"set -a; . {settings}; set +a\n{script}" if settings.exists() else script
    done = subprocess.run(
        ["bash", "-euc", lines], cwd=ROOT, env=environment,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def answers(port: int) -> bool:
    """Return whether a port is ready."""
    try:
        return ask(port, "GET", "/stats/readyz").status == 200
    except OSError:
        return False


@pytest.mark.slow
def test_what_is_typed_ends_with_numbers(tmp_path: Path) -> None:
    """Block by block, with the document's settings: the unit's command runs, the keys are printed,
    the catalogue is taken, and the snippet's own signature counts a visit."""
    root = tmp_path / "machine"
    with machine(root) as environment, held_port() as one, held_port() as other:
        beacons, reports = one.getsockname()[1], other.getsockname()[1]
        install, start, *rest = [mapped(each, root, reports) for each in blocks(CONTENT, "sh")]
        typed(install, environment, root)
        (settings,) = blocks(CONTENT, "ini")
        ports = f"COLLECTOR_BEACONS_BIND=127.0.0.1:{beacons}\n"
        ports += f"COLLECTOR_REPORTS_BIND=127.0.0.1:{reports}\n"
        (root / "etc/collector/settings").write_text(mapped(settings, root, reports) + ports)
        typed(start, environment, root)
        for port in (beacons, reports):
            eventually(partial(answers, port), "the unit's command")
        printed = [typed(each, environment, root) for each in rest]
        assert printed[0].startswith("Counting.")
        assert len(printed[1].split()) == 3
        assert '"received":2' in printed[3]
        pixel = printed[2].split('src="https://shop.example')[2].split('"')[0].replace("&amp;", "&")
        browser = {"User-Agent": FIREFOX, "Cookie": GRANTED}
        assert ask(beacons, "GET", pixel, browser).counted == "yes"
        for command in sorted(set(in_sentences()) - set(ELSEWHERE)):
            assert typed(command.replace("counts.zip", f"{root}/counts.zip"), environment, root)
        assert (root / "counts.zip").read_bytes().startswith(b"PK")
        banner, form = blocks(CONTENT, "html")
        assert ask(beacons, "GET", paths(banner, "src")).status == 200
        token = typed("collector token --scope login --seller anna", environment, root).strip()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        (field,) = re.findall(r'name="(\w+)"', form)
        sent = urlencode({field: token}).encode()
        answer = ask(reports, "POST", paths(form, "action"), kind, sent)
        assert answer.status == 303, answer.content
        assert "collector_session" in answer.headers["set-cookie"]
    assert not (ROOT / "dist").exists()


def paths(block: str, attribute: str) -> str:
    """Return the path of the one address of the shop in an attribute."""
    (found,) = re.findall(rf'{attribute}="https://shop\.example([^"]+)"', block)
    return str(found)


def test_nothing_is_said_to_be_typed_that_no_test_types() -> None:
    """Blocks are of the three kinds that are run above. A command in a sentence is typed above, or
    is in the list of those that another test runs; neither list outlives the document."""
    kinds = re.findall(r"^```(\w*)$", CONTENT, re.MULTILINE)[::2]  # every other one ends a block
    assert set(kinds) == {"sh", "ini", "html"}
    assert (kinds.count("ini"), kinds.count("html")) == (1, 2)
    commands = in_sentences()
    assert {"make run", "collector status"} <= set(commands)
    assert set(ELSEWHERE) <= set(commands)
    for command in set(commands) - set(ELSEWHERE):
        assert command.startswith("collector "), f"no test types {command!r}"
    for place in ELSEWHERE.values():
        assert (ROOT / "tests" / place).is_file()


def test_the_times_are_an_afternoon() -> None:
    """Eight steps, in their order, and about four hours together."""
    steps = [row for row in rows(CONTENT) if row[0].startswith("[")]
    assert [int(row[0][1]) for row in steps] == list(range(1, 9))
    assert sum(int(row[2]) for row in steps) <= 4 * 60


def test_the_unit_is_one_that_systemd_takes() -> None:
    """Asked of systemd itself, where it is installed; it may only miss the program."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed here")
    unit = ROOT / "deploy" / "systemd" / "collector.service"
    done = subprocess.run(
        [program, "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if "collector" in line]
    assert [line for line in complaints if "is not executable" not in line] == []
