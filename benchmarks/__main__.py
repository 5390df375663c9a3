"""``python -m benchmarks [NAME ...] [--quick] [--json]``: measure, then print one table.

Exits with 0, whatever the figures are; with 1 where a measurement itself breaks, and with 2 for
a name that there is not.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from importlib import import_module
from inspect import signature
from typing import Final

from benchmarks.result import Row, table

NAMES: Final = (
    "first_frame",
    "slider_steps",
    "streaming",
    "idle",
    "engine_speed",
    "fleet_speed",
    "privacy_speed",
    "dedup_speed",
    "labeling_speed",
    "accounts_speed",
    "lifecycle_speed",
    "velocity_speed",
    "trust_speed",
    "memory_share",
    "sessions",
)

ON_DEMAND: Final = ("figures",)
"""What takes long, and is measured where it is asked for by name."""


def main() -> int:
    """Run the measurements that were asked for, or all."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Speed, bytes and memory.")
    known = (*NAMES, *ON_DEMAND)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--quick", action="store_true", help="count less, where one can")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in known]:
        parser.error(f"no measurement is called {unknown[0]!r}; known: {', '.join(known)}")
    rows: list[Row] = []
    broken = False
    for name in arguments.names or NAMES:
        begun = time.perf_counter()
        print(f"{name} …", end=" ", file=sys.stderr, flush=True)
        try:
            measure = import_module(f"benchmarks.{name}").measure
            quick = (
                {"quick": True}
                if arguments.quick and "quick" in signature(measure).parameters
                else {}
            )
            for row in measure(**quick):  # what was measured before a fault is kept
                rows.append(row)
        except Exception as error:  # the other measurements still count
            broken = True
            print(f"broken: {type(error).__name__}: {error}", file=sys.stderr)
        else:
            print(f"{time.perf_counter() - begun:.0f} s", file=sys.stderr)
    if arguments.json:
        print(json.dumps([asdict(row) | {"holds": row.holds} for row in rows], indent=2))
    else:
        print(table(rows))
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
