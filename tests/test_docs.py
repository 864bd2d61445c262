"""The documents name every setting, command and alarm, say nothing else, and link to what is there.

tests/test_docs_http.py does the same for endpoints, outcomes and errors.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import pytest

from collector.__main__ import main
from collector.close.seal import ALARMS
from collector.drain import CODES
from collector.settings import PREFIX, Settings, read, trusted_networks
from tests.documents import DOCS, anchor, blocks, dead, documents, headings, rows, section, text
from tests.tree import PACKAGES, files, parsed, shown

CODE = r"[a-z]+(?:-[a-z]+)+"
# Whoever calls one of these may name an alarm or a warning.
SAYING = {"sound", "_sound", "Skip", "Stop", "Unreadable", "Blocked", "_wait_for", "notice"}
EXAMPLES = {row[0].strip("`").removeprefix(PREFIX): row for row in rows(text("settings.md"))}


def default(name: str) -> str:
    """Return a setting's default as the table writes it."""
    value: Any = Settings.model_fields[name.lower()].default
    match value:
        case None | ():
            return "none"
        case "":
            return "empty"
        case bool():
            return f"`{str(value).lower()}`"
        case ZoneInfo():
            return f"`{value.key}`"
        case _:
            return f"`{value}`"


def test_every_setting_is_explained_and_no_other() -> None:
    """A setting that is added, renamed or removed changes the table, or fails here."""
    assert set(EXAMPLES) == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_settings_default_is_the_real_one(name: str) -> None:
    """What follows a colon explains what none or nothing means."""
    assert re.findall(r"^(?:`[^`]*`|\w+)", EXAMPLES[name][1]) == [default(name)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_settings_example_can_be_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copied from the table, it is accepted, and is not what one has without it."""
    value = EXAMPLES[name][3].strip("`")
    before, _ = read({})
    monkeypatch.setenv(PREFIX + name, value)
    settings, warnings = read({PREFIX + name: value})
    assert not warnings
    assert settings != before


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_empty_variable_is_its_default_as_the_text_says(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compose file hands on what nobody set; each setting is then as if it weren't there."""
    assert "An empty variable means its default" in text("settings.md")
    before, _ = read({})
    monkeypatch.setenv(PREFIX + name, "")
    assert read({PREFIX + name: ""}) == (before, [])


def test_the_word_for_no_proxy_at_all_is_the_one_in_the_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Copied from the text, it trusts nobody, also where an empty one would trust loopback."""
    found = re.search(r"`COLLECTOR_(TRUSTED_PROXIES)=(\w+)` trusts nobody", text("settings.md"))
    assert found is not None
    assert trusted_networks(read({})[0], "127.0.0.1:8000") != ()
    monkeypatch.setenv(PREFIX + found[1], found[2])
    assert trusted_networks(read({})[0], "127.0.0.1:8000") == ()


def commands(group: click.Group = main, before: str = "collector") -> dict[str, click.Command]:
    """Return every command that `--help` shows, by how it is typed."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        typed = f"{before} {name}"
        if isinstance(command, click.Group):
            found |= commands(command, typed)
        elif not command.hidden:
            found[typed] = command
    return found


def test_every_command_is_explained_and_no_other() -> None:
    """One heading a command, in the document and in its list."""
    content = text("commands.md")
    explained = [title for title in headings(content, 2) if title.startswith("collector ")]
    assert sorted(explained) == sorted(commands())
    for title in explained:
        assert f"](#{anchor(title)})" in content


@pytest.mark.parametrize("typed", commands())
def test_a_commands_options_are_explained_and_no_other(typed: str) -> None:
    """Every option of `--help` is in the command's table, and what is there is an option."""
    below = section(text("commands.md"), f"## {typed}")
    visible = [p for p in commands()[typed].params if isinstance(p, click.Option) and not p.hidden]
    options = {name for option in visible for name in option.opts if name.startswith("--")}
    assert set(re.findall(r"^\| `(--[\w-]+)", below, re.MULTILINE)) == options
    for argument in commands()[typed].params:
        if isinstance(argument, click.Argument) and isinstance(argument.type, click.Choice):
            assert all(str(choice) in below for choice in argument.type.choices)


def test_no_document_names_a_command_that_is_none() -> None:
    """`collector …` in prose, and at the beginning of a line that is to be typed."""
    known = {name.split()[1] for name in commands()} | {"--help", "COMMAND"}
    for path in documents():
        content = path.read_text("utf-8")
        typed = re.findall(r"`collector ([\w-]+)", content)
        typed += re.findall(
            r"^(?:sudo )?collector ([\w-]+)", "\n".join(blocks(content, "sh")), re.M
        )
        assert set(typed) <= known, shown(path)


def codes_in(tree: ast.AST) -> Iterator[str]:
    """Yield every alarm's or warning's code that a module may say."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        said = [
            a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
        ]
        if name in SAYING:
            yield from (each for each in said if re.fullmatch(CODE, each))
        if name in ("error", "warning"):
            yield from (match[1] for each in said if (match := re.match(rf"({CODE}): ", each)))


def codes() -> set[str]:
    """Return every code, whoever says it."""
    found = set(CODES | ALARMS)
    for path in files(".py", under=PACKAGES):
        found |= set(codes_in(parsed(path)))
        found |= set(re.findall(rf"see ({CODE}) in docs/operations\.md", path.read_text("utf-8")))
    return found


def test_every_alarm_has_an_entry_and_no_other() -> None:
    """Whoever is woken by a code finds what it means, what is lost and what to type."""
    assert {
        "spool-failing",
        "batch-differs",
        "salt-stays",
        "no-salt",
        "day-lost",
    } < codes()
    content = text("operations.md")
    below = section(content, "## Alarms") + section(content, "## Warnings")
    entries = {title for title in headings(below, 3) if re.fullmatch(CODE, title)}
    assert entries == codes()
    for title in headings(below, 3):
        entry = section(content, f"### {title}")
        assert "**Means**" in entry, title
        assert "**Type**" in entry, title
    for title in headings(section(content, "## Alarms"), 3):
        assert "**Lost**" in section(content, f"### {title}"), title


def gauges() -> set[str]:
    """Return the names of the metrics that the two processes make."""
    found = set()
    for root in ("collector/serve_beacons.py", "collector/serve_reports.py"):
        for node in ast.walk(parsed(DOCS.parent / root)):
            if isinstance(node, ast.FunctionDef) and node.name == "gauges":
                keys = [each.keys for each in ast.walk(node) if isinstance(each, ast.Dict)]
                found |= {
                    f"collector_{str(key.value).split()[0]}"
                    for key in keys[0]
                    if isinstance(key, ast.Constant)
                }
    return found


def test_every_metric_is_explained_and_no_other() -> None:
    """Those of the location door are in its own document."""
    assert "collector_alarms" in gauges()
    table = section(text("operations.md"), "## What to watch")
    assert {row[0].strip("`") for row in rows(table)} == gauges()


@pytest.mark.parametrize("path", documents(), ids=shown)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    """To a file that is there, and in a document to a heading."""
    assert dead(path) == []


def test_a_dead_link_would_be_found(tmp_path: Path) -> None:
    """The control: a file that isn't there, and a heading that isn't."""
    path = tmp_path / "one.md"
    path.write_text("# Here\n[a](two.md) [b](#there) [c](#here) `[d](three.md)`\n")
    assert dead(path) == ["two.md", "#there"]


def test_the_glossary_is_in_order_and_says_a_line_each() -> None:
    """So that a word is found by looking where it would stand."""
    words = [row[0] for row in rows(text("glossary.md"))]
    assert words == sorted(words)
    assert len(words) == len(set(words))


def test_the_architecture_names_files_that_are_there() -> None:
    """The walk of a visit goes through the code as it is."""
    named = re.findall(
        r"`((?:collector|dashboards|geoip|tests|docs|bench|deploy)/[\w./]*)`",
        text("architecture.md"),
    )
    assert len(named) > 30
    assert [name for name in named if not (DOCS.parent / name).exists()] == []
