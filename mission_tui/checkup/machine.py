"""What this machine computes with, and whether it comes to the figures of others."""

from __future__ import annotations

import ctypes
import json
import math
import os
import platform
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from engine import registry
from mission_tui import __version__
from mission_tui.checkup.finding import Finding
from mission_tui.ledger.replay import EXACT
from mission_tui.play.start import facts

KNOWN: Final = Path(__file__).with_name("figures.json")
"""What every model came to elsewhere, at one quick setting; ``tests/commands/test_doctor.py``
renews it.
"""
PATIENCE: Final = 1.2
"""Seconds after which no further model is tried: a slow machine gets its answer all the same."""


def findings() -> Iterator[Finding]:
    """The program, numpy and the figures."""
    home = Path(__file__).resolve().parents[1]
    yield Finding("program", "ok", f"mission-tui {__version__}, {len(registry.names())} models")
    yield Finding("installed", "ok", str(home))
    yield Finding("Python", "ok", f"{platform.python_version()} ({sys.executable})")
    yield _arithmetic()
    yield _figures()


def _arithmetic() -> Finding:
    """numpy, its BLAS as it runs, its threads, and the instructions that it found here."""
    import numpy as np

    config: Any = np.show_config(mode="dicts")
    simd = config.get("SIMD Extensions", {})
    used = [*simd.get("baseline", []), *simd.get("found", [])]
    kernel, threads = _openblas()
    chosen = os.environ.get("OPENBLAS_NUM_THREADS", "")
    said = f"numpy {np.__version__}, {facts()['blas']}"
    said += f", kernel {kernel}" if kernel else ""
    count = threads if threads is not None else chosen or "?"
    said += f", {count} thread{'' if str(count) == '1' else 's'}; {platform.machine()}"
    said += f" with {', '.join(used)}" if used else ""
    if count not in {1, "1"}:
        return Finding(
            "arithmetic",
            "note",
            said,
            "One thread a session is enough: unset OPENBLAS_NUM_THREADS, or set it to 1.",
        )
    return Finding("arithmetic", "ok", said)


def _openblas() -> tuple[str, int | None]:
    """The kernel that numpy's own OpenBLAS chose for this processor, and its threads.

    Last bits hang on the kernel. ("", None) where numpy computes with another library.
    """
    import numpy as np

    beside = Path(np.__file__).resolve().parent.with_name("numpy.libs")
    for path in sorted(beside.glob("libscipy_openblas*")):
        for suffix in ("64_", ""):
            try:
                library = ctypes.CDLL(str(path))  # loaded already: this is the same one
                name = library[f"scipy_openblas_get_corename{suffix}"]
                name.restype = ctypes.c_char_p
                threads = int(library[f"scipy_openblas_get_num_threads{suffix}"]())
                return bytes(name() or b"").decode("ascii", "replace"), threads
            except (OSError, AttributeError):
                continue
    return "", None


def _figures() -> Finding:
    """Every model at one setting, beside what it came to where the figures were recorded."""
    try:
        known = json.loads(KNOWN.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        todo = "Install the program again: this installation is not whole."
        return Finding("figures", "fault", f"{KNOWN.name} can't be read", todo)
    started, compared, differ = time.monotonic(), 0, 0
    wrong: list[str] = []
    newer: list[str] = []
    tried = 0
    for name in registry.names():
        if time.monotonic() > started + PATIENCE:
            break
        tried += 1
        model, of = registry.model(name), known["models"].get(name)
        if of is None or of["version"] != model.version:
            newer.append(name)
            continue
        outcome = model.evaluate(of["setting"], seed=known["seed"])
        slack = {metric.name: metric.tolerance for metric in model.metrics}
        for metric, want in of["metrics"].items():
            found = outcome.metrics.get(metric, math.nan)
            compared += 1
            differ += found != want
            near = max(slack.get(metric, 0.0) * (1 + EXACT), EXACT * abs(want))  # as replay has it
            if not abs(found - want) <= near:  # which NaN is not either
                wrong.append(f"{name}'s {metric} {found:.6g} for {want:.6g}")
    where = _elsewhere(known["machine"])
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return Finding(
            "figures",
            "fault",
            f"{wrong[0]}{more}, computed beside {where}",
            "Ledgers from elsewhere would not replay here: install the packages that "
            "locks/play.txt names.",
        )
    same = "all bit for bit" if not differ else f"{differ} not bit for bit, all within tolerance"
    all_of, count = len(registry.names()), tried - len(newer)
    whole = count == all_of
    models = f"all {all_of} models" if whole else f"{count} of {all_of} models"
    said = f"{compared} figures of {models}, as on {where}: {same}"
    if whole:
        said += ", so ledgers from there replay here"
    elif not newer:
        said += "; for the rest this machine is too slow or too busy now"
    if newer:
        todo = f"Nothing is known of this version of {', '.join(newer)}: trust replay's own word."
        return Finding("figures", "note", said, todo)
    return Finding("figures", "ok", said)


def _elsewhere(machine: Mapping[str, str]) -> str:
    return f"{machine['cpu']} with numpy {machine['numpy']}, {machine['blas']}"
