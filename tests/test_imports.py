"""The import contracts bite: each is broken on purpose, in a copy of the packages.

A contract that can't fail protects nothing; so for each, an import that it forbids is added to a
module, and import-linter has to name that very contract.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tree import PACKAGES, ROOT, contract, files, imports

pytestmark = pytest.mark.processes

NAMES = {
    "packages": "The three packages do not import each other",
    "addresses": "Modules that write never import modules that can hold an address",
    "engine": "Only the engine's own modules import its client",
    "beacons": "The beacons process has no database engine inside",
    "pure": "Pure modules do no I/O and read neither clock nor environment",
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the three packages' Python and of the contracts."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=lambda folder, names: [
                name for name in names if not name.endswith(".py") and "." in name
            ],
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken(tree: Path) -> set[str]:
    """Run import-linter over the copy and return the ids of the contracts that it calls broken."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    run = subprocess.run(
        [sys.executable, "-P", "-c", program, "--no-cache"],
        cwd=tree,
        env={"PYTHONPATH": str(tree), "COLUMNS": "200", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Contracts:" in run.stdout, run.stdout + run.stderr
    found = {id_ for id_, name in NAMES.items() if f"{name} BROKEN" in run.stdout}
    assert (run.returncode != 0) == bool(found), run.stdout
    return found


def add(tree: Path, module: str, line: str) -> None:
    """Add a line to a module of the copy."""
    path = tree / (module.replace(".", "/") + ".py")
    path.write_text(path.read_text("utf-8") + f"\n{line}\n", "utf-8")


def test_the_contracts_hold(copy: Path) -> None:
    """As it stands, the copy passes: what fails below fails for the line that was added."""
    assert broken(copy) == set()


BREAKS = [
    ("packages", "geoip.country", "import collector.hit"),
    ("packages", "dashboards.period", "from geoip import country"),
    ("packages", "collector.spool", "from dashboards.period import Range"),
    ("packages", "dashboards.access", "def late() -> None:\n    import collector.tokens"),
    *(
        ("addresses", module, f"import {forbidden}")
        for module, forbidden in zip(
            contract("addresses")["source_modules"],
            contract("addresses")["forbidden_modules"] * 2,
            strict=False,
        )
    ),
    ("engine", "dashboards.app", "import clickhouse_connect"),
    ("engine", "geoip.app", "from chdb import session"),
    ("engine", "collector.page_tag", "from clickhouse_connect.driver.client import Client"),
    ("beacons", "collector.serve_beacons", "import chdb"),
    ("beacons", "collector.beacons", "def late() -> None:\n    import pandas"),
    *(
        ("pure", module, f"import {forbidden}")
        for module, forbidden in zip(
            contract("pure")["source_modules"],
            [
                "os",
                "time",
                "sqlite3",
                "socket",
                "io",
                "pathlib",
                "subprocess",
                "threading",
                "logging",
            ],
            strict=True,
        )
    ),
]


@pytest.mark.parametrize(
    ("identity", "module", "line"), BREAKS, ids=[f"{b[0]}-{b[1]}-{n}" for n, b in enumerate(BREAKS)]
)
def test_a_forbidden_import_is_found(copy: Path, identity: str, module: str, line: str) -> None:
    """One line more, at the top or inside a function, and the contract that forbids it is named."""
    add(copy, module, line)
    assert identity in broken(copy)


def test_a_detour_is_found(copy: Path) -> None:
    """A module that writes reaches an address through a third module: still forbidden, and so is
    the engine in the beacons process."""
    (copy / "collector" / "detour.py").write_text(
        "import collector.address\nimport collector.warehouse\n", "utf-8"
    )
    add(copy, "collector.hit", "import collector.detour")
    assert {"addresses", "beacons", "pure"} <= broken(copy)


def test_whatever_writes_is_bound_by_the_address_rule() -> None:
    """A module of Collector's that writes, by its name or because it opens a database, has to be
    named in the contract as soon as it exists."""
    by_name = {"hit", "spool", "drain", "warehouse", "seal"}
    roots = {line.split()[0].split(".")[1] for line in contract("packages")["ignore_imports"]}
    writers = set()
    for path in files(".py", under=("collector",)):
        room = path.relative_to(ROOT / "collector").with_suffix("").parts
        if room[0] not in roots and ("sqlite3" in imports(path) or room[-1] in by_name):
            writers.add(".".join(("collector", *room)))
    assert "collector.spool_file" in writers
    assert writers - set(contract("addresses")["source_modules"]) == set()


def test_the_beacons_process_loads_no_engine() -> None:
    """What import-linter reads from the source, seen at run time: the whole process, imported,
    has neither the client nor the engine in memory."""
    program = (
        "import sys, collector.serve_beacons\n"
        "print(sorted({'clickhouse_connect', 'chdb', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert run.stdout == "[]\n"


def test_every_contract_is_broken_somewhere_above() -> None:
    """A sixth contract needs its own break."""
    assert {identity for identity, _, _ in BREAKS} == set(NAMES)
    assert {contract(identity)["name"] for identity in NAMES} == set(NAMES.values())
