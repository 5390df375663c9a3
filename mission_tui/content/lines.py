"""Where in a TOML file each key stands.

The TOML parser keeps no positions, so this reads the file a second time for its keys alone:
headers in brackets, and the keys at the start of lines. A value's line is its key's line.
"""

from __future__ import annotations

import re
from typing import Final

Path = tuple[str, ...]

_KEY: Final = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED: Final = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER: Final = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]\]?")
_ASSIGNMENT: Final = re.compile(rf"\s*({_DOTTED})\s*=\s*(.*)")
_PARTS: Final = re.compile(_KEY)
_WORDS: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?(?:"{3,5}|\Z)'  # strings over several lines: up to two quotes more
    r"|'''.*?(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*",
    re.DOTALL,
)


def key_lines(text: str) -> dict[Path, int]:
    """Map each key path of a TOML document to its 1-based line.

    Keys inside inline tables have the line of the key that holds the table. Headers count for
    each of their prefixes that was not seen before.
    """
    lines: dict[Path, int] = {}
    table: Path = ()
    depth = 0  # of brackets, while inside an array or inline table over several lines
    for number, line in enumerate(_WORDS.sub(_skeleton, text).split("\n"), start=1):
        if depth > 0:
            depth += _depth(line)
        elif header := _HEADER.match(line):
            table = _path(header[1])
            _remember(lines, table, number)
        elif assignment := _ASSIGNMENT.match(line):
            _remember(lines, table + _path(assignment[1]), number)
            depth = max(0, _depth(assignment[2]))
    return lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """The line of the nearest key on the way to ``path`` (1 if there is none)."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


def _skeleton(found: re.Match[str]) -> str:
    """What is left of a string or comment: its newlines, and a string that may be a key."""
    words = found[0]
    if words.startswith("#"):
        return ""
    if words.startswith(('"""', "'''")):
        return "\n" * words.count("\n")
    return words


def _path(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PARTS.findall(dotted))


def _remember(lines: dict[Path, int], path: Path, number: int) -> None:
    for length in range(1, len(path) + 1):
        lines.setdefault(path[:length], number)


def _depth(line: str) -> int:
    bare = re.sub(r""""(?:[^"\\]|\\.)*"|'[^']*'""", "", line)
    return sum(bare.count(c) for c in "[{") - sum(bare.count(c) for c in "]}")
