"""How a play starts: its header, with everything that its results depend on."""

from __future__ import annotations

import platform
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Literal

from mission_tui import __version__
from mission_tui.content.load import mission_hash
from mission_tui.content.schema import Mission
from mission_tui.play import evaluate, seeds
from mission_tui.play.actions import Instant
from mission_tui.play.events import FORMAT, Event
from mission_tui.text import clean_line

SeedMade = Literal["course", "student", "chosen"]
PROGRAM: Final = "mission-tui"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A course's word for the student who plays: its id, its public key (hex), the signature.

    ``seed_root`` is what the course derived for this student; the signature covers it.
    """

    course: str
    key: str
    issued: str
    signature: str
    seed_root: str


@dataclass(frozen=True, slots=True)
class Who:
    """Who plays, by which driver, with which key, for the how-manieth time.

    A chosen seed is nobody's own, so it comes without the course (``enrolled``).

    ``carried`` is what earlier plays hand over (:mod:`mission_tui.play.recall`): words for the
    briefing, on which no seed and no run depends.
    """

    student: str
    driver: str
    public_key: str
    attempt: int = 1
    chosen_seed: int | None = None
    carried: Mapping[str, Any] = field(default_factory=dict)
    enrolled: Enrolled | None = None


def header(mission: Mission, who: Who, now: datetime) -> Event:
    """Line 0 of a play's journal. ``now`` is aware; it also dates the play's id."""
    texts_and_rules = mission_hash(mission)
    root, made, course = _seed(who)
    data: dict[str, Any] = {
        "format": FORMAT,
        "play_id": f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}",
        "student": who.student,
        "driver": who.driver,
        "public_key": who.public_key,
        "course": course,
        "mission": mission.id,
        "track": mission.track,
        "mission_hash": {"rules": texts_and_rules.rules, "texts": texts_and_rules.texts},
        "seed_root": root,
        "seed": made,
        "attempt": who.attempt,
        "carried": dict(who.carried),
        "models": evaluate.versions(mission),
        **facts(),
    }
    return Event(0, "header", None, 0, instant(0, now).wall, data)


def _seed(who: Who) -> tuple[str, SeedMade, dict[str, str] | None]:
    """The root seed, how it was made, and the course that gave it."""
    if who.chosen_seed is not None:
        return seeds.root_chosen(who.chosen_seed), "chosen", None
    by = who.enrolled
    if by is None:
        return seeds.root_of_student(who.student), "student", None
    course = {"id": by.course, "key": by.key, "issued": by.issued, "signature": by.signature}
    return by.seed_root, "course", course


def seed_says(header: Mapping[str, Any]) -> str:
    """One sentence for the player: where the seed of a play comes from."""
    course, made = header.get("course"), header.get("seed")
    if made == "course" and isinstance(course, Mapping):
        name = clean_line(course.get("id"), 40)
        return f"Course {name}: the seed is the student's own, by enrolment."
    if made == "chosen":
        return "No course: the seed was chosen."
    return "No course: the seed follows from the name."


def instant(mono_ms: int, now: datetime) -> Instant:
    """A moment: milliseconds of the play's clock beside UTC to the millisecond."""
    return Instant(mono_ms, now.astimezone(UTC).isoformat(timespec="milliseconds"))


@cache
def facts() -> dict[str, str]:
    """What this machine computes with. Informative: a divergence is shown beside them."""
    return {
        "program": f"{PROGRAM} {__version__}",
        "python": platform.python_version(),
        "numpy": _version("numpy"),
        "blas": _blas(),
        "cpu": f"{sys.platform} {platform.machine()}",
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _blas() -> str:
    import numpy as np

    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
