"""The benches: what they compare is the same for all, and the documents name what there is."""

import re
import subprocess
import sys
from datetime import date

from bench.__main__ import BENCHES
from bench.peers.figures import accuracy
from bench.peers.goaccess import line
from bench.peers.visits import DAYS, HISTORY_A_DAY, Visit, exact, visits
from tests.documents import rows, section, text
from tests.tree import ROOT

TODAY = date(2026, 11, 18)


def test_everybody_gets_the_same_visits() -> None:
    """From the same seed come the same visits, whenever asked; today's change nothing before."""
    few, many = visits(TODAY, 10), visits(TODAY, 1000)
    assert many == visits(TODAY, 1000)
    assert few == many[: len(few)]
    assert len(many) == (DAYS - 1) * HISTORY_A_DAY + 1000
    assert {visit.day for visit in many if visit.day > TODAY} == set()
    assert many[-1].day == TODAY


def test_the_exact_answer_is_of_persons() -> None:
    """Two browsers behind an address are two, one that comes twice is one; each day counts anew."""
    one = Visit(TODAY, "cup", "198.18.0.1", "Firefox")
    other = one._replace(agent="Chrome")
    before = one._replace(day=date(2026, 11, 17))
    truth = exact([one, one, other, before])
    assert truth == {(TODAY, "cup"): 2, (before.day, "cup"): 1}
    assert accuracy(truth, truth).startswith("2 of 2 (0.00%")
    assert accuracy({(TODAY, "cup"): 3}, truth).startswith("0 of 2 (66.67%")


def test_a_day_before_today_is_logged_as_nginx_logs() -> None:
    """GoAccess can't tell our lines from nginx's: its combined format."""
    written = line(Visit(TODAY, "cup", "198.18.0.1", "Firefox"))
    assert written == (
        '198.18.0.1 - - [18/Nov/2026:12:00:00 +0000] "GET /shop/cup HTTP/1.1" 200 7 "-" "Firefox"\n'
    )


def test_a_bench_that_is_not_there_is_named() -> None:
    """A slip of the finger doesn't run ten minutes of others."""
    asked = [sys.executable, "-m", "bench", "beacons"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == f"no bench beacons; there are {', '.join(BENCHES)}\n"


def test_every_bench_is_explained_and_no_other() -> None:
    """In docs/benchmarks.md, in the order in which they run; each can be run alone."""
    table = section(text("benchmarks.md"), "## Ours")
    explained = [row[0].strip("`") for row in rows(table) if row[0].startswith("`")]
    assert explained == list(BENCHES)
    for name in BENCHES:
        assert 'if __name__ == "__main__"' in (ROOT / "bench" / f"{name}.py").read_text("utf-8")


def test_the_readme_lists_every_command_of_make() -> None:
    """What `make help` lists, the README explains."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    commands = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)) - {"help"}
    assert {"bench", "bench-peers", "run"} <= commands
    table = section((ROOT / "README.md").read_text("utf-8"), "## Commands of the checkout")
    assert {row[0].strip("`").removeprefix("make ") for row in rows(table)} == commands
