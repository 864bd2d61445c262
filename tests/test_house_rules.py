"""House rules that no linter knows. A rule that a look finds broken also names the file."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.tree import (
    PACKAGES,
    ROOT,
    SOURCE,
    contract,
    files,
    functions,
    imports,
    parsed,
    pyproject,
    shown,
)

FILE_LINES_MAX = 299
FUNCTION_LINES_MAX = 49
DRAWERS = set("common helper helpers lib misc shared stuff tools util utils".split())

# Spelled in parts, so that this file does not find itself.
MACHINE = re.compile("/" + r"(home/\w|root/|work/|Users/)|\." + "library/")
REGISTRY = re.compile("(pypi|pythonhosted|npmjs|debian|fury)" + r"\.(org|com|io)\b")
STATEMENT = re.compile(
    r"\s*(select\s.*\sfrom\s|with\s.*\sas\s*\(|insert\s+into\s|delete\s+from\s|update\s.*\sset\s"
    r"|(create|alter|drop|truncate|optimize)\s+(table|view|database|partition)\s)",
    re.IGNORECASE | re.DOTALL,
)
WORLD_CALLS = {"open", "print", "input", "eval", "exec", "urlopen", "__import__"}
WORLD_METHODS = {
    "now",
    "utcnow",
    "today",
    "getenv",
    "read_text",
    "read_bytes",
    "write_text",
    "exec",
}


def matches(pattern: re.Pattern[str], path: Path) -> list[str]:
    """Return where in a file the pattern occurs."""
    lines = path.read_text("utf-8").splitlines()
    return [shown(path, number) for number, line in enumerate(lines, 1) if pattern.search(line)]


def test_files_stay_under_300_lines() -> None:
    """A file that grows past one sitting's reading gets a second noun."""
    long = {
        shown(path): lines
        for path in files(*SOURCE)
        if (lines := len(path.read_text("utf-8").splitlines())) > FILE_LINES_MAX
    }
    assert long == {}


def test_functions_stay_under_50_lines() -> None:
    """A function that no longer fits a screen has a step that deserves a name."""
    long = {
        f"{shown(path, function.lineno)} {function.name}": lines
        for path in files(".py")
        for function in functions(parsed(path))
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_there_is_no_drawer() -> None:
    """Modules are nouns of the field; nothing is put where the next reader would not look."""
    names = {shown(path) for path in files() if set(path.with_suffix("").parts) & DRAWERS}
    assert names == set()


def test_nothing_names_a_machine_or_a_registry() -> None:
    """Whoever clones this has other paths, and a package index of their own choosing; the lock
    files' hashes hold for either."""
    assert MACHINE.search("open('/ho" + "me/ann/collector')")
    assert REGISTRY.search("--index-url https://py" + "pi.org/simple")
    found = [
        place
        for pattern in (MACHINE, REGISTRY)
        for path in files()
        for place in matches(pattern, path)
    ]
    assert found == []


@pytest.mark.parametrize("path", files(".sql"), ids=shown)
def test_a_query_opens_with_its_contract(path: Path) -> None:
    """The header says what the file is for; a question says what goes in and what comes out, and
    names each of its parameters."""
    text = path.read_text("utf-8")
    lines = text.splitlines()
    statement = [line for line in lines if not line.startswith("--")]
    header = "\n".join(line for line in lines if line.startswith("--"))
    assert lines[0].startswith("-- "), "no header"
    assert re.search(r"[?.:]( \(SQLite\))?$", lines[0]), "the header's first line is a sentence"
    for name in set(re.findall(r"\{(\w+):", text)):
        assert re.search(rf"\b{name}\b", header), f"the header leaves out {name}"
    if "queries" in path.parts and statement[0].startswith(("select", "with")):
        assert re.search(r"^-- out ", header, re.MULTILINE), "the header has no `out`"


@pytest.mark.parametrize("path", files(".sql"), ids=shown)
def test_no_query_reads_the_engines_clock(path: Path) -> None:
    """The time is a parameter: the engine reads the machine's clock past the one that we inject."""
    clock = re.compile(r"\b(now|now64|today|yesterday|current_timestamp|curdate)\s*\(", re.I)
    assert clock.search("where day = toDay(now())")
    assert matches(clock, path) == []


def test_migrations_are_numbered_and_hold_one_statement_each() -> None:
    """ClickHouse's DDL has no transaction, so a half-done migration is a whole file, or none."""
    paths = files(".sql", under=("collector/migrations",))
    assert [path.name[:5] for path in paths] == [f"{n:04}_" for n in range(1, len(paths) + 1)]
    for path in paths:
        code = re.sub(r"--.*", "", path.read_text("utf-8"))
        assert code.strip().rstrip(";").count(";") == 0, shown(path)


def sql_in_python(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield every string that is, or begins, a statement of SQL."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        if STATEMENT.match(node.value + " "):
            yield node


def test_questions_to_the_engine_live_in_files() -> None:
    """One question, one .sql file: whoever holds a client of the engine spells out no SQL. The
    warehouse names an insert's columns, and SQLite's short statements stand beside the one module
    that keeps the file."""
    assert list(sql_in_python(ast.parse("ask('select a from b')")))
    engine = {"clickhouse_connect", "chdb", "collector.warehouse", "dashboards.stats"}
    holders = [path for path in files(".py", under=PACKAGES) if imports(path) & engine]
    assert {"drain.py", "warehouse.py"} <= {path.name for path in holders}
    found = [
        shown(path, constant.lineno)
        for path in holders
        for constant in sql_in_python(parsed(path))
        if not (path.name == "warehouse.py" and str(constant.value).startswith("insert into "))
    ]
    assert found == []


@pytest.mark.parametrize("module", contract("pure")["source_modules"])
def test_a_pure_module_calls_nothing_that_reads_the_world(module: str) -> None:
    """Import rules can't see `open` or `datetime.now`, so this looks at the calls themselves."""
    path = ROOT / (module.replace(".", "/") + ".py")
    calls = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]
    found = [
        shown(path, call.lineno)
        for call in calls
        if (isinstance(call.func, ast.Name) and call.func.id in WORLD_CALLS)
        or (isinstance(call.func, ast.Attribute) and call.func.attr in WORLD_METHODS)
    ]
    assert found == []


def test_every_silenced_check_says_why() -> None:
    """`# noqa: S608  # why` and `# type: ignore[misc]  # why`; a line without its reason is an
    ignored check that nobody can ever take back."""
    silenced = re.compile(r"#\s*(noqa\b|type:\s*ignore\b|ruff:\s*noqa\b)")
    reasoned = re.compile(
        r"#\s*(noqa:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|type:\s*ignore\[[\w, -]+\])\s+\W*\w"
    )
    assert silenced.search("import os  # no" + "qa")
    assert not reasoned.search("import os  # no" + "qa: F401")
    found = [
        place
        for path in files(".py")
        if path != Path(__file__)
        for place in sorted(set(matches(silenced, path)) - set(matches(reasoned, path)))
    ]
    assert found == []


def test_every_check_that_is_off_says_why() -> None:
    """The same for whole rules, in pyproject.toml."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    section = text.split("[tool.ruff.lint]")[1].split("\n[tool.importlinter]")[0]
    ignored = section.split("ignore = [", 1)[1]
    rules = [line for line in ignored.splitlines() if re.match(r'\s+"[A-Z]+\d*",', line)]
    assert rules
    assert [line for line in rules if not re.search(r",\s*#\s*[\w`]", line)] == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_the_locks_hold_what_the_project_asks_for(lock: str) -> None:
    """A dependency added without `make lock` would be missing on every machine but its author's."""
    project = pyproject()["project"]
    asked = project["dependencies"]
    if lock == "requirements-dev.lock":
        asked = asked + project["optional-dependencies"]["dev"]
    text = (ROOT / lock).read_text("utf-8")
    pinned = dict(re.findall(r"^([\w.-]+)(?:\[\w+\])?==([^\s;]+)", text, re.MULTILINE))
    for requirement in map(Requirement, asked):
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert name in pinned, f"{name} is not in {lock}: run `make lock`"
        assert requirement.specifier.contains(pinned[name]), f"{name} {pinned[name]}"
