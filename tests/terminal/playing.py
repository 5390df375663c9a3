"""A play by keys alone, a step at a time, and the journal that it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mission_tui.play.bands import FACTORS
from tests.terminal.screen import CTRL_F, CTRL_G, DOWN, ENTER, LEFT, TAB, UP, Terminal

MISSION = "memory-wall"


def to_briefing(terminal: Terminal, *, student: str = "ada", persona: str = "2") -> None:
    """title, who, missions, persona: ends at the briefing."""
    terminal.wait("Enter").press(ENTER)
    terminal.wait("student id").type(student).press(ENTER)
    terminal.wait("MISSIONS").press("1")
    terminal.wait("TAKE A POST").press(persona)
    terminal.wait("INCOMING")


def to_workbench(
    terminal: Terminal, *, number: str = "400", wider: int = 3, why: str = "4"
) -> None:
    """From a briefing: seal one prediction, and unlock."""
    terminal.wait("INCOMING").press(ENTER)
    terminal.wait("YOUR NUMBER").type(number).wait(f" {number}")
    terminal.press(*[UP] * wider).wait("┣", f"×{FACTORS[wider]:g}")
    terminal.move(ENTER).press(why).wait(f"{why} ◆")
    terminal.press(ENTER).wait("for good")
    terminal.press(ENTER).wait("SEALED")
    terminal.press(ENTER).wait("BROKEN", gone=("measuring",))


def record_run(terminal: Terminal, number: int) -> None:
    """Commit the sliders as they stand."""
    terminal.press(ENTER).wait(f"RUN #{number} RECORDED")


def halve_batch(terminal: Terminal) -> None:
    """From the first slider: one step of the batch down, and back to the first."""
    terminal.press(DOWN).wait("▌Batch").press(LEFT).wait("16 samples ▸")
    terminal.press(UP).wait("▌Method")


def finish(terminal: Terminal, *, answer: str = "") -> Path:
    """From a workbench with runs #1 and #2, which differ in the batch alone, to the signed play."""
    terminal.press(CTRL_G).wait("Before you leave").press(ENTER).wait("THE ENGINE SAYS")
    terminal.press(ENTER).wait("YOUR CLAIM")
    claim(terminal, answer=answer)
    terminal.press(ENTER).wait("signs its ledger")
    terminal.press(ENTER).wait("SIGNED")
    return ledger(terminal.saves)


def claim(terminal: Terminal, *, answer: str = "") -> None:
    """Cite runs #1 and #2, and the activations (the fourth reason)."""
    terminal.press("a", DOWN, "b").wait("fell by")
    terminal.move(TAB).press("4").wait("4 ◆")
    if answer:
        terminal.move(TAB).type(answer).wait(answer[-12:])
    terminal.press(CTRL_F).wait("VERIFIED")


def journal(saves: Path) -> Path:
    """The one journal below a folder of saves."""
    (found,) = saves.rglob("*.jsonl")
    return found


def ledger(saves: Path) -> Path:
    """The one signed ledger below a folder of saves."""
    (found,) = saves.rglob("*.ledger.json")
    return found


def events(path: Path) -> list[dict[str, Any]]:
    """The events of a journal, as they stand in the file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def kinds(path: Path) -> list[str]:
    """The kinds of a journal's events, in order."""
    return [event["kind"] for event in events(path)]
