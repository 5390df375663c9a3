"""What the models of one training on the device share: its controls, and the plan they make.

``adaptation`` and ``energy`` can be asked together; a control of the same name is then one
control, so that both take it from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from engine.contract import Control, SettingError
from engine.numerics.checkpointing import RECOMPUTE
from engine.numerics.layers import Network
from engine.numerics.memory import Plan
from engine.numerics.networks import NAMES, network

_SEQUENCED: Final = {"llama-3-70b": "sequence"}

CONTROLS: Final = (
    Control("network", "", "choice", "the network, at true scale", "resnet-50", choices=NAMES),
    Control(
        "method",
        "",
        "choice",
        "what is trained",
        "full",
        choices=("none", "full", "last", "bias", "lora", "sparse", "layerwise"),
    ),
    Control(
        "last_k",
        "",
        "integer",
        "layers (blocks) that `last` trains, and that `sparse` reaches back to",
        3,
        1,
        80,
    ),
    Control("rank", "", "integer", "rank of LoRA's adapters", 8, 1, 256, 2.0, "log"),
    Control(
        "channels",
        "",
        "choice",
        "`sparse` trains one in so many input channels",
        "4",
        choices=("1", "2", "4", "8"),
    ),
    Control(
        "frozen_bits",
        "bit",
        "choice",
        "bits of a parameter that is not trained",
        "32",
        choices=("32", "16", "8", "4"),
    ),
    Control("batch", "samples", "integer", "samples a step", 8, 1, 64, 2.0, "log"),
    Control(
        "optimizer",
        "",
        "choice",
        "whose state is kept",
        "adam",
        choices=("sgd", "momentum", "adam"),
    ),
    Control(
        "arithmetic",
        "",
        "choice",
        "32-bit, mixed 16/32-bit precision, or an 8-bit graph",
        "fp32",
        choices=("fp32", "mixed", "int8"),
    ),
    Control(
        "recompute",
        "",
        "choice",
        "segments that run again instead of being kept: equally long, or fitted to the layers",
        "none",
        choices=RECOMPUTE,
    ),
    Control("sequence", "tokens", "integer", "tokens a sample (Llama)", 512, 64, 8192, 2.0, "log"),
    Control("examples", "samples", "integer", "examples to learn from", 150, 10, 1000, 10),
    Control("epochs", "passes", "integer", "passes over them", 4, 1, 20),
)
"""The controls of one training, by the meaning that every model gives them."""


def control(name: str, **changes: Any) -> Control:
    """The shared control called ``name``, with some of its fields changed."""
    return replace(next(each for each in CONTROLS if each.name == name), **changes)


def planned(asked: Mapping[str, Any]) -> tuple[Network, Plan]:
    """The network and the plan of a complete setting; ``convention`` if the model has it.

    Raises SettingError where more layers are asked for than the network has.
    """
    name = asked["network"]
    size = {_SEQUENCED[name]: asked["sequence"]} if name in _SEQUENCED else {}
    found = network(name, **size)
    plan = Plan(
        method=asked["method"],
        k=asked["last_k"],
        rank=asked["rank"],
        channels=int(asked["channels"]),
        frozen_bits=int(asked["frozen_bits"]),
        batch=asked["batch"],
        optimizer=asked["optimizer"],
        arithmetic=asked["arithmetic"],
        recompute=asked["recompute"],
        convention=asked.get("convention", "full"),
    )
    if plan.method in ("last", "sparse") and plan.k > found.units:
        raise SettingError("last_k", plan.k, f"{found.name} has {found.units} {found.unit}s")
    return found, plan
