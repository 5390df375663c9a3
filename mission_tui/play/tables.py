"""Runs as text in columns: all of them, two beside each other, and what each step would change.

The screens and the plain mode tell the same. Lines fit 70 columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from engine.contract import Outcome
from mission_tui.content.schema import Part
from mission_tui.play import runcode, wording
from mission_tui.play.claims import metric_of
from mission_tui.play.game import Neighbour
from mission_tui.play.session import Run, Session
from mission_tui.units import change, show, show_change

NONE: Final = "No run yet."
_WIDTH: Final = 70


def mark(run: Run) -> str:
    """How a run came out, with a mark: colour alone never says it."""
    if run.outcome is None:
        return "◌ in flight"
    if not run.ended:
        return f"‖ stopped after {run.rounds} rounds"
    return "✓ passes" if run.passed else "✗ fails"


def runs(session: Session) -> str:
    """Every run: its setting, how it came out, its code, and each metric that the part names."""
    part = session.part
    blocks = []
    for run in session.state.runs:
        pin = "▪" if run.number in session.state.pins else " "
        lines = [
            f"{pin}#{run.number} {wording.setting(part, run.setting)}",
            f"   {mark(run)}; code {runcode.write(session, run.setting)}",
        ]
        if run.outcome is not None:
            figures = [
                f"{label} {show(run.outcome.metrics[name], metric_of(part, name).unit)}"
                for name, label in part.metrics.items()
            ]
            lines += _filled(figures)
        blocks.append("\n".join(lines))
    return "\n".join(blocks) or NONE


def last_code(session: Session) -> str:
    """The last run's code, in a sentence."""
    last = session.last_run
    if last is None:
        return NONE
    return f"Run #{last.number} is {runcode.write(session, last.setting)}"


def difference(session: Session, before: Run, after: Run) -> str:
    """Two runs beside each other: what was moved, and what moved."""
    part = session.part
    lines = [f"{'':<22} {'#' + str(before.number):>14} {'#' + str(after.number):>14}", ""]
    for name, use in part.sliders.items():
        values = [wording.slider_value(part, name, run.setting[name]) for run in (before, after)]
        moved = "◀" if before.setting[name] != after.setting[name] else ""
        lines.append(f"{use.label:<22.22} {values[0]:>14.14} {values[1]:>14.14}  {moved}".rstrip())
    lines.append("")
    if before.outcome is None or after.outcome is None:
        return "\n".join(lines)
    for name, label in part.metrics.items():
        unit = metric_of(part, name).unit
        ends = before.outcome.metrics[name], after.outcome.metrics[name]
        first, second, moves = change(*ends, unit)
        lines.append(f"{label:<21.21} {first:>15} {second:>14}  {moves}")
    return "\n".join(lines)


def step(part: Part, to: Neighbour) -> str:
    """A step of one slider in words: ``"Batch ▲ 32 samples"``."""
    way = "▲" if to.up else "▼"
    return f"{part.sliders[to.control].label} {way} {wording.slider_value(part, to.control, to.to)}"


def sensitivity(
    session: Session,
    here: Mapping[str, float],
    found: Iterable[tuple[Neighbour, Outcome]],
) -> str:
    """What each step of each slider changes, from the metrics of where the sliders stand."""
    part = session.part
    lines = ["One step of one slider, from where they stand:", ""]
    for to, outcome in found:
        lines.append(step(part, to))
        moved = [
            f"{part.metrics[name]} {show_change(outcome.metrics[name] - here[name], unit)}"
            for name in part.metrics
            for unit in [metric_of(part, name).unit]
            if outcome.metrics[name] != here[name]
        ]
        lines += _filled(moved or ["nothing moves"])
    return "\n".join(lines)


def _filled(words: list[str]) -> Iterator[str]:
    """Words with separators between them, on indented lines of at most seventy columns."""
    line = ""
    for word in words:
        longer = f"{line} · {word}" if line else f"   {word}"
        if line and len(longer) > _WIDTH:
            yield line
            longer = f"   {word}"
        line = longer
    if line:
        yield line
