"""The source tree as the house rules see it: files, functions, imports, contracts."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PACKAGES = ("collector", "dashboards", "geoip")
WRITTEN_BY_US = (*PACKAGES, "tests", "bench", "docs", ".ci")
SOURCE = {".py", ".sql", ".js", ".css", ".html", ".sh"}
TEXT = SOURCE | {".md", ".toml", ".txt", ".yml", ".yaml", ".conf", ".lock", ".service", ""}


def pyproject() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def contract(identity: str) -> dict[str, Any]:
    """Return one of import-linter's contracts."""
    contracts = pyproject()["tool"]["importlinter"]["contracts"]
    found: dict[str, Any] = {each["id"]: each for each in contracts}[identity]
    return found


def files(*suffixes: str, under: tuple[str, ...] = WRITTEN_BY_US) -> list[Path]:
    """Return every file that we wrote, or those with one of these suffixes."""
    found = [path for folder in under for path in (ROOT / folder).rglob("*")]
    if under is WRITTEN_BY_US:
        found += ROOT.iterdir()
    wanted = suffixes or tuple(TEXT)
    return sorted(
        path
        for path in found
        if path.is_file() and path.suffix in wanted and "__pycache__" not in path.parts
    )


def shown(path: Path, line: int = 0) -> str:
    """Return the path as an editor opens it."""
    return f"{path.relative_to(ROOT)}:{line}" if line else str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def parsed(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text("utf-8"))


def imports(path: Path) -> set[str]:
    """Return the dotted names of what a module imports, wherever in it."""
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found
