"""The command line as a script and a shell see it: exit statuses, help, completion."""

import subprocess
from pathlib import Path

import pytest

from tests.documents import rows, section, text
from tests.journeys.running import Collector, prepared
from tests.packaging.wheel import Installed

FAILED, USAGE, BAD_SETTINGS = 1, 2, 78


@pytest.mark.slow
def test_an_exit_status_says_who_has_to_act(tmp_path: Path) -> None:
    """0 done, 1 failed, 2 wrongly typed, 78 wrongly set: the last must not be tried again. Each
    failure is one sentence, on standard error or output, that names what is wrong."""
    with prepared(tmp_path / "collector") as collector:
        assert "collector" in collector.cli("--version")
        collector.cli("key", "page-tag")
        assert "doesn't run" in collector.cli("status", expect=FAILED)
        assert "ttl" in collector.cli("token", "--scope", "login", "--ttl", "1h", expect=FAILED)
        assert "nosuch" in collector.cli("nosuch", expect=USAGE)
        assert "--scope" in collector.cli("token", expect=USAGE)
        refused(collector, "WORKERS", "many")
        refused(collector, "BEACONS_BIND", "203.0.113.9:80")
        refused(collector, "SECRET", "short")
    documented = {row[0] for row in rows(text("commands.md").split("\n- ", 1)[0])}
    assert documented == {"0", str(FAILED), str(USAGE), str(BAD_SETTINGS)}


def refused(collector: Collector, name: str, value: str) -> None:
    """Start with one bad setting: status 78, the setting's name or its value's, no traceback."""
    before = dict(collector.settings)
    collector.settings[name] = value
    printed = collector.cli("beacons", expect=BAD_SETTINGS)
    assert name in printed or value in printed
    assert "Traceback" not in printed
    collector.settings = before


@pytest.mark.slow
def test_a_shell_completes_commands_and_options(installed: Installed) -> None:
    """As docs/commands.md sets it up: bash asks for the words that fit what was typed."""
    shown = section(text("commands.md"), "## Completion in a shell")
    for shell in ("bash", "zsh", "fish"):
        assert f"{shell}_source" in shown
    script = installed.run(own={"_COLLECTOR_COMPLETE": "zsh_source"})
    assert "#compdef collector" in script
    asked = {
        "_COLLECTOR_COMPLETE": "bash_complete",
        "COMP_WORDS": "collector clo",
        "COMP_CWORD": "1",
    }
    assert installed.run(own=asked).split() == ["plain,close-day"]
    asked |= {"COMP_WORDS": "collector token --scope ", "COMP_CWORD": "3"}
    assert {"plain,stats", "plain,login"} <= set(installed.run(own=asked).split())


@pytest.mark.slow
def test_a_command_starts_without_the_engine(installed: Installed) -> None:
    """What a backend or a shell asks for often must not wait for half a gigabyte: `key` and
    `token` load no database engine."""
    program = (
        "import sys; from collector.__main__ import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: print(sorted({'chdb', 'clickhouse_connect'} & sys.modules.keys()))"
    )
    for arguments in (["key", "token"], ["token", "--scope", "location"], ["--help"]):
        done = subprocess.run(
            [str(installed.bin / "python"), "-c", program, *arguments],
            env=installed.environment({"COLLECTOR_SECRET": "an-invented-secret-of-enough-bytes"}),
            cwd=installed.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout.endswith("[]\n"), done.stdout
