"""Run codes: a setting as a short text that can be read out, typed, and found mistyped.

A code is written in Crockford's base 32 (no I, L, O or U), in groups of four: three characters
that stand for the part and its grids, then where each slider stands, then one check character.
The check is a weighted sum over the field of 32 elements, with another weight for each place, so
any one wrong character and any two that changed places are found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from itertools import islice
from math import prod
from typing import Final

from engine.contract import Value
from mission_tui.content import space
from mission_tui.content.schema import Part
from mission_tui.play.session import Refused, Session

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ: Final = {**{c: n for n, c in enumerate(ALPHABET)}, "O": 0, "I": 1, "L": 1}
_TAG: Final = 3
"""Characters that stand for the part."""
_GROUP: Final = 4
_FIELD: Final = 0b100101
"""x^5 + x^2 + 1, primitive over GF(2): the powers of x are 31 different weights."""


def write(session: Session, setting: Mapping[str, Value]) -> str:
    """The code of a setting of the part being played: ``"K3Q9-F2MA"``."""
    part, number = session.part, 0
    for name in part.sliders:
        grid = space.values(part, name)
        number = number * len(grid) + grid.index(setting[name])
    body = _tag(session) + _digits(number, _length(part))
    code = "".join(ALPHABET[digit] for digit in (*body, _check(body)))
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def read(session: Session, text: str) -> dict[str, Value]:
    """The setting that a code stands for; case, hyphens and spaces do not matter.

    Raises :class:`~mission_tui.play.session.Refused` for a typo, or for a code of another part.
    """
    written = re.sub(r"[\s-]", "", text).upper()
    if not written:
        raise Refused("write a run code, as the table of runs shows it")
    if len(written) > 31 or any(character not in _READ for character in written):
        raise Refused("that is no run code: it has letters and digits, in groups of four")
    digits = tuple(_READ[character] for character in written)
    if len(digits) <= _TAG + 1 or _check(digits[:-1]) != digits[-1]:
        raise Refused("that run code has a typo: its check character does not fit")
    part = session.part
    if digits[:_TAG] != _tag(session) or len(digits) != _TAG + _length(part) + 1:
        raise Refused("that run code is of another part or another mission")
    number = 0
    for digit in digits[_TAG:-1]:
        number = number * len(ALPHABET) + digit
    setting: dict[str, Value] = {}
    for name in reversed(part.sliders):
        grid = space.values(part, name)
        number, at = divmod(number, len(grid))
        setting[name] = grid[at]
    if number:
        raise Refused("that run code has a typo: no slider stands there")
    return {name: setting[name] for name in part.sliders}


def _tag(session: Session) -> tuple[int, ...]:
    """Three characters for the mission, the part, and every value of its sliders."""
    part = session.part
    grids = [(name, [str(value) for value in space.values(part, name)]) for name in part.sliders]
    found = sha256(repr((session.mission.id, session.part_id, grids)).encode()).digest()
    return _digits(int.from_bytes(found[:4], "big") % len(ALPHABET) ** _TAG, _TAG)


def _length(part: Part) -> int:
    """Characters that every setting of the part fits into."""
    settings = prod(len(space.values(part, name)) for name in part.sliders)
    return next(n for n in range(1, 28) if len(ALPHABET) ** n >= settings)


def _digits(number: int, length: int) -> tuple[int, ...]:
    return tuple(number >> 5 * place & 31 for place in reversed(range(length)))


def _check(digits: tuple[int, ...]) -> int:
    """The sum of each digit times its weight, by Horner's rule: x · sum + digit."""
    total = 0
    for digit in islice(digits, 31):
        total = (total << 1 ^ (_FIELD if total & 16 else 0)) ^ digit
    return total << 1 ^ (_FIELD if total & 16 else 0)
