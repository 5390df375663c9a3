"""Honest ledgers judged under other CPU settings and another numpy: none may look tampered with.

``python -m tests.ledger.elsewhere FOLDER`` judges every ledger of a folder and prints the result
as JSON; :func:`judged` runs it under each of :data:`SETTINGS`.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
OTHER_NUMPY: Final = "MISSION_TUI_OTHER_NUMPY"
"""A folder with another numpy in it, as ``pip install --target`` makes one."""
_NEWER: Final = "X86_V3 X86_V4 AVX2 FMA3"  # numpy 2.4 groups what 2.2 names one by one
SETTINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "as it was played": {},
    "four BLAS threads": {"OPENBLAS_NUM_THREADS": "4", "OMP_NUM_THREADS": "4"},
    "BLAS for an old CPU": {"OPENBLAS_CORETYPE": "Prescott"},
    "BLAS for Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "numpy without AVX2 and FMA": {"NPY_DISABLE_CPU_FEATURES": _NEWER},
    "both old": {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": _NEWER},
}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What became of the ledgers under one setting."""

    setting: str
    numpy: str
    judged: int
    tampered: tuple[str, ...]
    """Those with a verdict that fails."""
    marginal: int


def write(folder: Path, count: int) -> None:
    """So many honest ledgers, by simulated players on all tracks of the mission of the tests."""
    from mission_tui.content.load import load
    from mission_tui.play.start import Who
    from tests.conftest import WALL
    from tests.grading import players
    from tests.ledger.forging import KEY, signed
    from tests.play.conftest import through_json

    tracks = load(WALL / "memory-wall.toml").tracks
    for seed in range(count):
        mission = tracks[sorted(tracks)[seed % len(tracks)]]
        habit = players.CLICKER if seed % 3 == 2 else players.REASONER
        who = Who(f"student-{seed % 20}", "human", KEY.public_hex, 1 + seed // 20)
        events = players.Simulated(habit, random.Random(seed)).play(mission, seed, who)
        (folder / f"{seed}.ledger.json").write_bytes(signed(list(map(through_json, events))))


def judged(folder: Path) -> list[Elsewhere]:
    """Every ledger of a folder under each setting; under another numpy where there is one."""
    settings = dict(SETTINGS)
    if other := os.environ.get(OTHER_NUMPY):
        settings["another numpy"] = {"PYTHONPATH": other}
        settings["another numpy, old BLAS"] = {**SETTINGS["both old"], "PYTHONPATH": other}
    found = []
    for name, setting in settings.items():
        done = subprocess.run(
            [sys.executable, "-m", "tests.ledger.elsewhere", str(folder)],
            cwd=ROOT,
            env={**os.environ, **setting},
            capture_output=True,
            text=True,
            check=True,
        )
        said = json.loads(done.stdout)
        found.append(Elsewhere(name, said["numpy"], said["judged"], tuple(said["tampered"]),
                               said["marginal"]))  # fmt: skip
    return found


def main(folder: Path) -> None:
    """Judge here, in this process, with whatever numpy it has."""
    import tests.conftest  # noqa: F401  (which missions are installed)
    from mission_tui.ledger import judge

    tampered, marginal, count = [], 0, 0
    for path in sorted(folder.glob("*.ledger.json")):
        report = judge.verify_ledger(path)
        states = [verdict.state for verdict in report.verdicts.values()]
        count += 1
        marginal += "marginal" in states
        if report.fails or report.verdicts["replay"].state == "not replayable here":
            tampered.append(f"{path.name}: {report.verdicts['replay'].reason}")
    import numpy as np

    result = {"numpy": np.__version__, "judged": count, "tampered": tampered, "marginal": marginal}
    print(json.dumps(result))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
