"""The graders' overrides, gathered: files that were named, and marks beside the ledgers.

They are applied after the rubric and never silently: what the rubric gave stands beside what a
person gave, with who, when and why. How such a file is written and signed is
:mod:`mission_tui.grading.marks`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from mission_tui.grading import marks
from mission_tui.grading.marks import Override
from mission_tui.ledger import keys
from mission_tui.ledger.files import CannotOpenError, read_regular
from mission_tui.play import score
from mission_tui.text import clean_line

TOTAL: Final = "total"
"""The criterion that stands for all of them."""
CRITERIA: Final = tuple(score.PointsOf.model_fields)
_HEX: Final = 128

State = Literal["signed", "not signed", "by another"]


class OverridesError(ValueError):
    """Overrides that can't be used; one sentence."""


@dataclass(frozen=True, slots=True)
class Given:
    """An override, the file that it stands in, and whether a known grader signed that file."""

    override: Override
    source: str
    signed: bool


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was found. ``left`` are files that count for nothing, a sentence each."""

    given: tuple[Given, ...] = ()
    left: tuple[str, ...] = ()

    def of_play(self, play: str) -> tuple[Given, ...]:
        """The overrides of one play, oldest first."""
        found = [each for each in self.given if each.override.play == play]
        return tuple(sorted(found, key=lambda each: each.override.at))


def gather(named: Sequence[Path], ledgers: Iterable[Path], graders: Sequence[str]) -> Gathered:
    """The overrides in files that were named, and in the marks beside ledgers.

    A file that was named may be unsigned, and its rows say so; a signature that is there must
    hold. Students may write where ledgers lie, so marks beside a ledger count only where one of
    ``graders`` (public keys, as hex) signed them. Raises :class:`OverridesError`.
    """
    given: list[Given] = []
    left: list[str] = []
    for path in named:
        content = _read(path)
        state = _state(path, content, graders)
        if state == "by another":
            raise OverridesError(
                f"{path.name} was changed after it was signed, or another key signed it: "
                "sign it anew, or name the grader's key (--grader)"
            )
        found = _parsed(path, content)
        given += [Given(override, path.name, state == "signed") for override in found]
    for ledger in ledgers:
        path = marks.marks_path(ledger)
        if path in named or not (path.exists() or path.is_symlink()):
            continue
        try:
            content = _read(path)
            if _state(path, content, graders) != "signed":
                raise OverridesError(f"{path.name} is not signed by a known grader")
            given += [Given(override, path.name, True) for override in _parsed(path, content)]
        except OverridesError as error:
            left.append(str(error))
    return Gathered(tuple(given), tuple(left))


def own_keys() -> tuple[str, ...]:
    """The public key of whoever runs this, where there is one."""
    try:
        return (keys.load().public_hex,)
    except keys.KeyFileError:
        return ()


def _read(path: Path) -> bytes:
    try:
        content = read_regular(path, marks.LARGEST + 1)
    except CannotOpenError as error:
        raise OverridesError(clean_line(str(error), 300)) from None
    if len(content) > marks.LARGEST:
        raise OverridesError(f"{path.name} is larger than {marks.LARGEST:,} bytes")
    return content


def _parsed(path: Path, content: bytes) -> tuple[Override, ...]:
    try:
        if path.suffix == ".json":
            return _from_json(path, content)
        return marks.parse(content, path.name)[0]
    except marks.MarksError as error:
        raise OverridesError(str(error)) from None


def _from_json(path: Path, content: bytes) -> tuple[Override, ...]:
    """The same tables as JSON: ``{"override": [{"play": …, "at": "2026-…"}]}``."""
    try:
        tree = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise OverridesError(clean_line(f"{path.name}: not JSON: {error}", 300)) from None
    rows = tree.get("override", []) if isinstance(tree, Mapping) else None
    if not isinstance(rows, list):
        raise OverridesError(f'{path.name}: overrides are a list: {{"override": […]}}')
    return tuple(_row(path, n, row) for n, row in enumerate(rows, 1))


def _row(path: Path, number: int, row: Any) -> Override:
    where = f"{path.name}: override {number}"
    if not isinstance(row, Mapping):
        raise OverridesError(f"{where} is no table")
    texts = {name: row.get(name) for name in ("play", "criterion", "reason", "by", "at")}
    points, event = row.get("points"), row.get("event")
    if not all(isinstance(text, str) for text in texts.values()):
        raise OverridesError(f"{where} needs {', '.join(texts)}, as text")
    if isinstance(points, bool) or not isinstance(points, (int, float)):
        raise OverridesError(f"{where}: points must be a number")
    try:
        at = datetime.fromisoformat(str(texts.pop("at")))
        found = Override(
            **{name: str(text) for name, text in texts.items()},
            points=float(points),
            at=at,
            event=event if type(event) is int else None,
        )
    except (ValueError, OverflowError):
        raise OverridesError(f"{where}: at must be a date and time, points a number") from None
    if at.tzinfo is None:
        raise OverridesError(f"{where}: at must be a date and time with its zone")
    if problem := marks.refusal(found):
        raise OverridesError(clean_line(f"{where}: {problem}", 300))
    return found


def _state(path: Path, content: bytes, graders: Sequence[str]) -> State:
    """Whether a known grader signed these bytes."""
    beside = marks.signature_path(path)
    if not beside.exists() and not beside.is_symlink():
        return "not signed"
    try:
        signature = bytes.fromhex(read_regular(beside, _HEX + 2).decode("ascii").strip())
    except (CannotOpenError, ValueError):
        return "by another"
    if any(keys.verifies(bytes.fromhex(key), signature, content) for key in graders):
        return "signed"
    return "by another"
