"""The solver record: what the author's gate found out about a mission, as the debrief reads it.

``missions/<id>.proof.json`` lies beside the mission and ships with it. It is keyed by the hash of
the rules and the versions of the models, a track each: where either moved there is no record,
rather than a wrong one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from engine.contract import Value
from mission_tui.content.load import mission_hash
from mission_tui.content.schema import Mission
from mission_tui.paths import missions_dir
from mission_tui.play.evaluate import versions

SCHEMA: Final = 1
NO_CLASS: Final = "-"
"""The class of a part to which nothing is carried."""
LARGEST: Final = 8_000_000
"""Bytes that a proof file may have: more is none of ours."""


@dataclass(frozen=True, slots=True)
class Solved:
    """What the solver knows of one part, class and seed.

    ``best`` and ``default`` are objectives (:mod:`mission_tui.play.regret`). ``setting`` is where
    the best was found; ``exact`` says whether every setting of the grid was tried.
    """

    best: float
    default: float
    setting: Mapping[str, Value]
    exact: bool


@dataclass(frozen=True, slots=True)
class Record:
    """The solver record of one mission on one track.

    ``solved`` maps part, class (``-`` where nothing is carried) and seed; ``regrets`` maps part,
    class and bot to a regret a play; ``wins`` likewise to plays won and played.
    """

    solved: Mapping[tuple[str, str, int], Solved]
    regrets: Mapping[tuple[str, str], Mapping[str, tuple[float, ...]]]
    wins: Mapping[tuple[str, str], Mapping[str, tuple[int, int]]]

    def at(self, part: str, size: str | None, seed: int) -> Solved | None:
        """The best there is in a part that was handed ``size``, at a seed; None if unknown."""
        return self.solved.get((part, size or NO_CLASS, seed))

    def histogram(
        self, part: str, size: str | None, bot: str, edges: Sequence[float]
    ) -> tuple[int, ...]:
        """How many plays of a bot came to a regret from each edge to under the next.

        What lies below the first edge counts as the first bin's, what is past the last as the
        last one's.
        """
        counts = [0] * (len(edges) - 1)
        for value in self.regrets.get((part, size or NO_CLASS), {}).get(bot, ()):
            place = sum(value >= edge for edge in edges[1:-1])
            counts[place] += 1
        return tuple(counts)


def proof_path(mission_id: str, folder: Path | None = None) -> Path:
    """Where a mission's proof file lies: in ``folder``, else where the missions are."""
    return (folder or missions_dir()) / f"{mission_id}.proof.json"


def load_record(mission: Mission, folder: Path | None = None) -> Record | None:
    """The solver record of a resolved mission; None where it is missing, unreadable or stale."""
    path = proof_path(mission.id, folder)
    try:
        stamp = path.stat()
        if stamp.st_size > LARGEST:
            return None
        tree = _read(path, stamp.st_mtime_ns, stamp.st_size)
    except (OSError, ValueError, RecursionError):
        return None
    try:
        found = fresh(tree, mission)
        return None if found is None else _record(found)
    except (LookupError, TypeError, ValueError, AttributeError):
        return None  # a file that is not what the gate writes says nothing


def fresh(tree: Any, mission: Mission) -> Mapping[str, Any] | None:
    """The track's table of a proof file's tree, if it is of these rules and these models."""
    if tree.get("schema") != SCHEMA or tree.get("mission") != mission.id:
        return None
    track: Mapping[str, Any] | None = tree["tracks"].get(mission.track)
    if track is None or track["rules"] != mission_hash(mission).rules:
        return None
    return track if track["models"] == versions(mission) else None


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int, _size: int) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _record(track: Mapping[str, Any]) -> Record:
    solved: dict[tuple[str, str, int], Solved] = {}
    regrets: dict[tuple[str, str], Mapping[str, tuple[float, ...]]] = {}
    wins: dict[tuple[str, str], Mapping[str, tuple[int, int]]] = {}
    for part, held in track["parts"].items():
        for size, found in held["classes"].items():
            for seed, at in found["seeds"].items():
                solved[part, size, int(seed)] = Solved(
                    float(at["best"]),
                    float(at["default"]),
                    dict(at["setting"]),
                    bool(at["exact"]),
                )
            regrets[part, size] = {
                bot: tuple(map(float, values)) for bot, values in found["regret"].items()
            }
            wins[part, size] = {
                bot: (int(won), int(plays)) for bot, (won, plays) in found["wins"].items()
            }
    return Record(solved, regrets, wins)
