"""What a night of learning takes from the battery: operations, bytes and bits, each at a price.

The counts are exact accounting of the network's layers (:mod:`engine.numerics.work`). The
prices are *scenario values*: energies of an operation or a bit differ by orders of magnitude
between devices and years, so each is a control with its own source and range in the mission,
never a law.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.contract import (
    Control,
    Mechanism,
    Metric,
    Outcome,
    Series,
    Setting,
    SettingError,
    Terms,
    complete,
)
from engine.numerics.memory import Plan
from engine.numerics.networks import NAMES, network
from engine.numerics.work import training_work

_PARTS: Final = (
    "forward",
    "backward",
    "weights_moved",
    "kept_moved",
    "update_moved",
    "radio",
    "awake",
)
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class _Night:
    """Counts and joules of one night; ``parts`` are joules and sum to all of them."""

    parts: Mapping[str, float]
    macs: int
    moved: int
    sent: int
    seconds: float
    inference: float

    @property
    def joules(self) -> float:
        return sum(self.parts.values())


class Energy:
    """Joules, battery share and time of learning on the device."""

    name = "energy"
    version = 1
    summary = "Energy of on-device learning: exact counts at scenario prices."
    formula = (
        "E = MACs · e_mac + bytes moved · e_byte + bits sent · e_bit + awake power · time\n"
        "MACs  = samples · (forward + input gradients + weight gradients)\n"
        "moved = steps · (weights a pass + 2 · kept + 2 · (gradients + optimizer) + trained)\n"
        "share = E / battery          time = MACs / rate"
    )
    sources = (
        "Cai et al. 2020, TinyTL (NeurIPS), §3: what is kept for which gradient",
        "Horowitz 2014, Computing's Energy Problem (ISSCC): 45 nm, fp32 multiply 3.7 pJ, add "
        "0.9 pJ, DRAM 1.3-2.6 nJ for 64 bits; prices are scenario values",
        "Huang et al. 2012, A Close Examination of 4G LTE (MobiSys): power grows with the rate, "
        "so that a bit has a price",
    )
    controls = (
        Control("network", "", "choice", "at true scale", "whisper-tiny-encoder", choices=NAMES),
        Control(
            "method",
            "",
            "choice",
            "what is trained",
            "full",
            choices=("full", "last", "bias", "lora"),
        ),
        Control("last_k", "", "integer", "layers (blocks) that `last` trains", 3, 1, 80),
        Control("rank", "", "integer", "rank of LoRA's adapters", 8, 1, 256, 2.0, "log"),
        Control(
            "frozen_bits",
            "bit",
            "choice",
            "bits of a parameter that is not trained",
            "16",
            choices=("32", "16", "8", "4"),
        ),
        Control("batch", "samples", "integer", "samples a step", 4, 1, 64, 2.0, "log"),
        Control(
            "optimizer", "", "choice", "its state", "adam", choices=("sgd", "momentum", "adam")
        ),
        Control("arithmetic", "", "choice", "precision", "fp32", choices=("fp32", "mixed")),
        Control("examples", "samples", "integer", "a session's examples", 150, 1, 10_000, 10),
        Control("epochs", "passes", "integer", "passes over them", 4, 1, 20),
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
        Metric("seconds", "s", "lower", "time of a night's learning", True),
        Metric("macs", "", "lower", "multiply-accumulates a night", True),
        Metric("moved_bytes", "B", "lower", "bytes moved a night", True),
        Metric("sent_bytes", "B", "lower", "bytes sent and fetched a night", True),
        Metric("inference_joules", "J", None, "one inference", True),
        Metric("against_inference", "×", "lower", "a sample learnt over one inferred", True),
    )
    series = (Series("energy", "J", "where the joules go", _PARTS),)
    mechanisms = (
        Mechanism("forward", "arithmetic of the forward pass"),
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
        learnt = asked["sessions"] * asked["examples"] * asked["epochs"]
        ours = night.joules - night.parts["radio"] - night.parts["awake"]
        return Outcome(
            {
                "joules": night.joules,
                "battery_share": 100 * night.joules / asked["battery"],
                "mean_power": night.joules / _DAY,
                "seconds": night.seconds,
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
        """Split a change of ``joules``, ``battery_share`` or ``mean_power``: each is a sum.

        Raises SettingError at the border, ValueError for a metric without terms.
        """
        del seed
        sides = []
        for setting in (before, after):
            asked = complete(self.controls, setting)
            prices = {
                "joules": 1.0,
                "battery_share": 100 / asked["battery"],
                "mean_power": 1 / _DAY,
            }
            if metric not in prices:
                raise ValueError(f"{metric} has no terms; explain {', '.join(prices)}")
            sides.append({p: prices[metric] * j for p, j in _night(asked).parts.items()})
        old, new = sides
        terms = {part: new[part] - old[part] for part in _PARTS}
        return Terms(metric, sum(old.values()), sum(new.values()), terms)


def _night(asked: Mapping[str, Any]) -> _Night:
    found = network(asked["network"])
    plan = Plan(
        method=asked["method"],
        k=asked["last_k"],
        rank=asked["rank"],
        frozen_bits=int(asked["frozen_bits"]),
        batch=min(asked["batch"], asked["examples"]),
        optimizer=asked["optimizer"],
        arithmetic=asked["arithmetic"],
    )
    if plan.method == "last" and plan.k > found.units:
        raise SettingError("last_k", plan.k, f"{found.name} has {found.units} {found.unit}s")
    work = training_work(found, plan)
    passes = asked["sessions"] * asked["epochs"]
    samples = passes * asked["examples"]
    steps = passes * math.ceil(asked["examples"] / plan.batch)
    sent = asked["syncs"] * work.update
    macs = samples * (work.forward + work.backward)
    seconds = macs / asked["mac_rate"]

    mac, byte = 1e-12 * asked["mac_energy"], 1e-12 * asked["byte_energy"]
    parts = {
        "forward": samples * work.forward * mac,
        "backward": samples * work.backward * mac,
        "weights_moved": steps * work.weights_moved * byte,
        "kept_moved": steps * work.kept_moved * byte,
        "update_moved": steps * work.update_moved * byte,
        "radio": 8 * sent * 1e-9 * (asked["radio_up"] + asked["radio_down"]),
        "awake": seconds * asked["awake_power"],
    }
    resting = found.parameters * plan.frozen_bits / 8
    return _Night(
        parts,
        macs,
        steps * (work.weights_moved + work.kept_moved + work.update_moved),
        2 * sent,
        seconds,
        found.macs * mac + resting * byte,
    )


MODEL: Final = Energy()
