"""Make our own scripts small: no comments, no blanks, short names. Pure.

Not for any script: it knows the JavaScript that we write. Every statement ends in `;` or `}`, no
division follows an identifier's blank, names are declared with `const`, `let` or as an arrow
function's parameters.
"""

import re
from itertools import product
from string import ascii_letters

_TOKEN = re.compile(
    r"""
    (?P<comment> //[^\n]* | /\*.*?\*/ )
  | (?P<text>    "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | `(?:[^`\\]|\\.)*` )
  | (?P<regex>   (?<=[(=,:\s])/(?![/*\s])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\]|\\.)*\])+/[a-z]* )
  | (?P<word>    [\w$]+ )
  | (?P<blank>   \s+ )
  | (?P<mark>    \.\.\. | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_DECLARED = re.compile(r"\b(?:const|let) (\w+)|\(([\w, ]+)\) =>|(?<![\w.])(\w+) =>")
_SHORTHAND = re.compile(r"\{ (\w+(?:, \w+)*) \}")
_WORD = re.compile(r"\w+")
_EXPRESSION = re.compile(r"\$\{[^}]*\}")
_NAME = re.compile(r"(?<![\w.])\w+")


def shrink(source: str) -> str:
    """Return a script that does the same in fewer bytes.

    Source  ECMA-262: blanks matter only between two words, and not at all beside a mark once
            every statement is ended by a mark of its own.
    """
    tokens = [
        (match.lastgroup, match[0])
        for match in _TOKEN.finditer(source)
        if match.lastgroup not in ("comment", "blank")
    ]
    names = _short_names(source, {text for kind, text in tokens if kind == "word"})
    parts: list[str] = []
    for index, (kind, text) in enumerate(tokens):
        before = tokens[index - 1][1] if index else ""
        after = tokens[index + 1][1] if index + 1 < len(tokens) else ""
        is_key = before == "." or (after == ":" and before in ("{", ","))
        if kind == "word" and not is_key:
            text = names.get(text, text)
        elif text[0] == "`":
            text = _EXPRESSION.sub(lambda match: _renamed(match[0], names), text)
        # A comma or a semicolon before a closing mark ends nothing.
        if (text in ")]}" and parts[-1] == ",") or (text == "}" and parts[-1] == ";"):
            parts.pop()
        if parts and _is_word(parts[-1][-1]) and _is_word(text[0]):
            parts.append(" ")
        parts.append(text)
    return "".join(parts)


def _renamed(expression: str, names: dict[str, str]) -> str:
    """Rename inside `${…}`; what follows a dot there is a key."""
    return _NAME.sub(lambda match: names.get(match[0], match[0]), expression)


def _is_word(character: str) -> bool:
    return character.isalnum() or character in "_$"


def _short_names(source: str, words: set[str]) -> dict[str, str]:
    """Map each name that the script declares to the shortest one that it doesn't use."""
    declared: list[str] = []
    for match in _DECLARED.finditer(source):
        for name in _WORD.findall(match[1] or match[2] or match[3]):
            if name not in declared:
                declared.append(name)
    # `{ seller, product }` makes or reads keys: those names are the world's.
    kept = {name for match in _SHORTHAND.finditer(source) for name in _WORD.findall(match[1])}
    free = (
        "".join(letters)
        for length in (1, 2)
        for letters in product(ascii_letters, repeat=length)
        if "".join(letters) not in words
    )
    return {name: next(free) for name in declared if name not in kept and len(name) > 1}
