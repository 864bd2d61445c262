"""Our documents as their tests see them: tables, headings, blocks, links."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.tree import ROOT

DOCS = ROOT / "docs"
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^()\s]+)\)")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def documents() -> list[Path]:
    """Return every document, those beside the code too."""
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def text(name: str) -> str:
    """Return one of docs/."""
    return (DOCS / name).read_text("utf-8")


def rows(content: str) -> Iterator[list[str]]:
    """Yield the cells of every table row that isn't a heading or a rule."""
    lines = content.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("|") and not re.match(r"\|[-|: ]+\|$", line):
            if re.match(r"\|[-|: ]+\|$", following):
                continue
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            yield [cell.strip().replace("\\|", "|") for cell in cells]


def section(content: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of its level or a higher one."""
    level, _, _ = heading.partition(" ")
    assert f"\n{heading}\n" in content, f"no heading {heading!r}"
    below = content.split(f"\n{heading}\n", 1)[1]
    return re.split(rf"^#{{1,{len(level)}}} ", below, maxsplit=1, flags=re.MULTILINE)[0]


def headings(content: str, level: int) -> list[str]:
    """Return the headings of one level, outside of code."""
    prose = re.sub(r"^```.*?^```$", "", content, flags=re.MULTILINE | re.DOTALL)
    return re.findall(rf"^#{{{level}}} (.+)$", prose, re.MULTILINE)


def blocks(content: str, language: str) -> list[str]:
    """Return the code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", content, re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """Return what a link into a document may end with."""
    content = path.read_text("utf-8")
    return {anchor(title) for level in range(1, 5) for title in headings(content, level)}


def anchor(title: str) -> str:
    """Return a heading as browsers address it on the usual hosts of repositories."""
    kept = re.sub(r"[^\w\- ]", "", title.replace("`", "").lower())
    return kept.replace(" ", "-")


def links(path: Path) -> list[str]:
    """Return where a document's links lead, outside of code."""
    return _LINK.findall(_CODE.sub("", path.read_text("utf-8")))


def dead(path: Path) -> list[str]:
    """Return the relative links of a document that lead nowhere."""
    found = []
    for link in links(path):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, fragment = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        is_document = file.suffix == ".md" and file.is_file()
        if not file.exists() or (fragment and not (is_document and fragment in anchors(file))):
            found.append(link)
    return found
