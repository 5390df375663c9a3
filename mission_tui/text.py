"""The one place that makes untrusted text safe to draw.

Missions, names, reflections and ledgers come from strangers. A terminal obeys control
sequences, and every widget tried passed clipboard writes (OSC 52), clear-screen, C1 controls
and bidirectional overrides through. So whatever is drawn passes :func:`clean` first.
"""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(text: object, limit: int = 4_000) -> str:
    """Return ``text`` as literal, printable, bounded text; newlines are kept.

    Control, format, surrogate, private-use and unassigned characters, and the line and
    paragraph separators, become U+FFFD. A tab becomes a space. Text longer than ``limit``
    characters ends in an ellipsis.
    """
    raw = str(text)
    cut = raw[: limit - 1] + "…" if len(raw) > limit else raw
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(_safe(character) for character in cut.replace("\r\n", "\n"))


def clean_line(text: object, limit: int = 200) -> str:
    """Like :func:`clean`, on one line: runs of white space become one space."""
    return clean(" ".join(str(text)[: limit * 4].split()), limit)


def _safe(character: str) -> str:
    if character == "\n":
        return character
    if character == "\t":
        return " "
    return REPLACEMENT if unicodedata.category(character) in _UNSAFE else character
