"""docker-compose.yml as an engine would read it: aliases merged, variables filled in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML

from tests.tree import ROOT

FILE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


@dataclass
class Variables:
    """What the file asks of `.env`: what is set there, and what was asked for and isn't."""

    given: Mapping[str, str]
    missing: set[str] = field(default_factory=set)

    def fill(self, value: Any) -> Any:
        """Return a value with its variables filled in, as Compose does before it looks at it."""
        match value:
            case dict():
                return {key: self.fill(each) for key, each in value.items()}
            case list():
                return [self.fill(each) for each in value]
            case str():
                return VARIABLE.sub(self._one, value)
            case _:
                return value

    def _one(self, found: re.Match[str]) -> str:
        name, kind, text = found.groups()
        if name in self.given:
            return self.given[name]
        if kind != "-":
            self.missing.add(name)
        return text if kind == "-" else ""


def raw() -> Any:
    """Return the file with its aliases merged."""
    return YAML(typ="safe").load(FILE)


def filled(given: Mapping[str, str]) -> tuple[dict[str, Any], set[str]]:
    """Return the file with a `.env`, and the variables that this leaves out."""
    variables = Variables(given)
    content = variables.fill(raw())
    assert isinstance(content, dict)
    return content, variables.missing


def pairs(listed: list[str]) -> list[tuple[str, str]]:
    """Return the two sides of mounts or ports; a mode or an address in front is left out."""
    found = []
    for each in listed:
        left, _, right = each.removesuffix(":ro").rpartition(":")
        found.append((left, right))
    return found
