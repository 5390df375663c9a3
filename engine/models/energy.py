"""What a night of learning takes from the battery: operations, bytes and bits, each at a price.

The counts are exact accounting of the network's layers (:mod:`engine.numerics.work`). The
prices are *scenario values*: energies of an operation or a bit differ by orders of magnitude
between devices and years, so each is a control with its own source and range in the mission,
never a law. The defaults, and what they lie between:

- a multiply-accumulate, 10 pJ: scenario, 1 to 100 pJ. The arithmetic alone is 4.6 pJ in 32-bit
  floating point at 45 nm (multiply 3.7, add 0.9: Horowitz 2014 as tabled in PMC8934428, Table 3);
  what fetches operands and instructions comes on top, a newer process takes off.
- a byte of main memory, 100 pJ: scenario, 20 to 330 pJ.
- a bit sent, 280 nJ, and fetched, 140 nJ: scenario, 100 to 1,200 nJ. Aalborg University's fit to
  its measured downloads of 500 kB (E = A + B·(rate - C), mobiledevices.kom.aau.dk) gives 280 nJ
  on WiFi at 5 Mbit/s, 660 nJ at 2, 1,200 nJ on HSDPA at 1.5 Mbit/s, and 490 to 590 nJ on Bluetooth
  2.0. Those are phones of the 2000s.
- the rest of the device, 50 mW, its rate, 200 GMAC/s, and its battery, 2,160 J (600 mWh):
  scenario of a pair of glasses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.contract import (
    Control,
    Mechanism,
    Metric,
    Outcome,
    Series,
    Setting,
    Terms,
    complete,
)
from engine.numerics.work import training_work
from engine.training import CONTROLS, control, planned

_ARITHMETIC: Final = ("forward", "again", "backward")
_PARTS: Final = (
    *_ARITHMETIC,
    "weights_moved",
    "kept_moved",
    "update_moved",
    "radio",
    "awake",
)
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class _Night:
    """Counts and joules of one night.

    ``parts`` are joules and sum to all of them; ``operations`` are multiply-accumulates of the
    first of these parts.
    """

    parts: Mapping[str, float]
    operations: Mapping[str, int]
    rate: float
    moved: int
    sent: int
    inference: float

    @property
    def macs(self) -> int:
        return sum(self.operations.values())

    @property
    def joules(self) -> float:
        return sum(self.parts.values())


class Energy:
    """Joules, battery share and time of learning on the device."""

    name = "energy"
    version = 2
    summary = "Energy of on-device learning: exact counts at scenario prices."
    formula = (
        "E = MACs · e_mac + bytes moved · e_byte + bits sent · e_bit + awake power · time\n"
        "MACs  = samples · (forward + what runs again + input gradients + weight gradients)\n"
        "moved = steps · (weights a pass + 2 · written + 2 · (gradients + optimizer) + trained)\n"
        "share = E / battery          time = MACs / rate"
    )
    sources = (
        "Cai et al. 2020, TinyTL (NeurIPS), §3: what is kept for which gradient",
        "Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost: what runs again",
        "Prices are scenario values. Horowitz 2014, Computing's Energy Problem, as tabled in "
        "PMC8934428, Table 3: 45 nm, fp32 multiply 3.7 pJ, add 0.9 pJ",
        "Aalborg University, Energy Measurements on Mobile Phones (mobiledevices.kom.aau.dk): "
        "WiFi, cellular and Bluetooth downloads, J a bit",
    )
    controls = (
        *(each for each in CONTROLS if each.name not in ("examples", "epochs")),
        control("examples", summary="a session's examples", low=1, high=10_000),
        control("epochs"),
        Control("sessions", "", "integer", "sessions a night", 1, 0, 24),
        Control("syncs", "", "integer", "updates sent, and fetched, a night", 1, 0, 96),
        Control(
            "mac_energy", "pJ", "number", "a multiply-accumulate", 10.0, 0.05, 500.0, 1.25, "log"
        ),
        Control("byte_energy", "pJ", "number", "a byte moved", 100.0, 0.5, 1e3, 1.25, "log"),
        Control("radio_up", "nJ", "number", "a bit sent", 280.0, 1.0, 1e5, 1.25, "log"),
        Control("radio_down", "nJ", "number", "a bit fetched", 140.0, 1.0, 1e5, 1.25, "log"),
        Control("awake_power", "W", "number", "of all else while it learns", 0.05, 0.0, 100.0),
        Control("mac_rate", "MAC/s", "number", "arithmetic rate", 2e11, 1e6, 1e15, 2.0, "log"),
        Control("battery", "J", "number", "energy of a full battery", 2160.0, 1.0, 1e9, 2.0, "log"),
    )
    metrics = (
        Metric("joules", "J", "lower", "energy of a night's learning", True, 0.0, _PARTS),
        Metric("battery_share", "%", "lower", "of a full battery, a night", True, 0.0, _PARTS),
        Metric("mean_power", "W", "lower", "spread over a day", True, 0.0, _PARTS),
        Metric("seconds", "s", "lower", "time of a night's learning", True, 0.0, _ARITHMETIC),
        Metric("macs", "", "lower", "multiply-accumulates a night", True, 0.0, _ARITHMETIC),
        Metric("moved_bytes", "B", "lower", "bytes moved a night", True),
        Metric("sent_bytes", "B", "lower", "bytes sent and fetched a night", True),
        Metric("inference_joules", "J", None, "one inference", True),
        Metric("against_inference", "×", "lower", "a sample learnt over one inferred", True),
    )
    series = (Series("energy", "J", "where the joules go", _PARTS),)
    mechanisms = (
        Mechanism("forward", "arithmetic of the forward pass"),
        Mechanism("again", "arithmetic of what runs again instead of being kept"),
        Mechanism("backward", "arithmetic of the gradients, of inputs and of trained weights"),
        Mechanism("weights_moved", "weights read, once a pass of a step"),
        Mechanism("kept_moved", "activations written for the backward pass, and read by it"),
        Mechanism("update_moved", "gradients and optimizer state, read and written"),
        Mechanism("radio", "bits on the air"),
        Mechanism("awake", "the rest of the device, awake meanwhile"),
    )

    def evaluate(self, setting: Setting, *, seed: int) -> Outcome:
        """The accounting at ``setting``; no randomness. Raises SettingError at the border."""
        del seed
        asked = complete(self.controls, setting)
        night = _night(asked)
        learnt = _learnt(asked)
        ours = night.joules - night.parts["radio"] - night.parts["awake"]
        return Outcome(
            {
                "joules": night.joules,
                "battery_share": 100 * night.joules / asked["battery"],
                "mean_power": night.joules / _DAY,
                "seconds": night.macs / night.rate,
                "macs": night.macs,
                "moved_bytes": night.moved,
                "sent_bytes": night.sent,
                "inference_joules": night.inference,
                "against_inference": ours / learnt / night.inference if learnt else 0.0,
            },
            {"energy": tuple(night.parts[part] for part in _PARTS)},
        )

    def stream(self, setting: Setting, *, seed: int) -> Iterator[Outcome]:
        """One outcome: there is nothing to wait for."""
        yield self.evaluate(setting, seed=seed)

    def explain(self, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
        """Split a change of a metric that is a sum of parts: of joules, or of operations.

        Raises SettingError at the border, ValueError for a metric without terms.
        """
        del seed
        if metric not in _TERMS:
            raise ValueError(f"{metric} has no terms; explain {', '.join(_TERMS)}")
        old, new = (_TERMS[metric](complete(self.controls, s)) for s in (before, after))
        terms = {part: new[part] - old[part] for part in old}
        return Terms(metric, sum(old.values()), sum(new.values()), terms)


def _learnt(asked: Mapping[str, Any]) -> int:
    """Samples learnt from in a night, each as often as it is seen."""
    if asked["method"] == "none":
        return 0
    return int(asked["sessions"] * asked["examples"] * asked["epochs"])


def _night(asked: Mapping[str, Any]) -> _Night:
    smaller = dict(asked) | {"batch": min(asked["batch"], asked["examples"])}
    found, plan = planned(smaller)
    work = training_work(found, plan)
    samples = _learnt(asked)
    steps = samples // asked["examples"] * math.ceil(asked["examples"] / plan.batch)
    sent = asked["syncs"] * work.update
    operations = {part: samples * getattr(work, part) for part in _ARITHMETIC}
    seconds = sum(operations.values()) / asked["mac_rate"]

    mac, byte = 1e-12 * asked["mac_energy"], 1e-12 * asked["byte_energy"]
    parts = {part: count * mac for part, count in operations.items()} | {
        "weights_moved": steps * work.weights_moved * byte,
        "kept_moved": steps * work.kept_moved * byte,
        "update_moved": steps * work.update_moved * byte,
        "radio": 8 * sent * 1e-9 * (asked["radio_up"] + asked["radio_down"]),
        "awake": seconds * asked["awake_power"],
    }
    resting = found.parameters * plan.resting_bits / 8
    return _Night(
        parts,
        operations,
        asked["mac_rate"],
        steps * (work.weights_moved + work.kept_moved + work.update_moved),
        2 * sent,
        found.macs * mac + resting * byte,
    )


def _joules(asked: Mapping[str, Any], price: float = 1.0) -> dict[str, float]:
    return {part: price * joules for part, joules in _night(asked).parts.items()}


def _operations(asked: Mapping[str, Any], rate: float = 1.0) -> dict[str, float]:
    return {part: count / rate for part, count in _night(asked).operations.items()}


_TERMS: Final[Mapping[str, Callable[[Mapping[str, Any]], dict[str, float]]]] = {
    "joules": _joules,
    "battery_share": lambda asked: _joules(asked, 100 / asked["battery"]),
    "mean_power": lambda asked: _joules(asked, 1 / _DAY),
    "seconds": lambda asked: _operations(asked, asked["mac_rate"]),
    "macs": _operations,
}
"""What the metrics that have terms are sums of."""

MODEL: Final = Energy()
