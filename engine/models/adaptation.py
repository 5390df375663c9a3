"""Adapting a network on the device: what it costs in memory, and what it buys.

Two scales, never blurred. The memory is exact accounting at the track's true scale
(:mod:`engine.numerics.memory`). The accuracy is a real adaptation of a small network to shifted
digits (:mod:`engine.numerics.standin`): *measured on the stand-in*, and labelled so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
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
from engine.numerics import standin
from engine.numerics.digits import TEST
from engine.numerics.memory import MemoryBreakdown, Plan, training_memory
from engine.numerics.networks import NAMES, network
from engine.numerics.shifts import SHIFTS
from engine.switching import switched

_PARTS: Final = ("weights", "gradients", "optimizer", "activations")
_SEQUENCED: Final = {"llama-3-70b": "sequence"}

_LEARNING: Final = ("capacity", "updates", "step_rule", "rounding", "domain")
_MOVED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "domain": ("shift", "strength"),
    "rounding": ("frozen_bits",),
    "capacity": ("network", "method", "last_k", "rank"),
    "updates": ("batch", "examples", "epochs"),
    "step_rule": ("optimizer",),
}
"""Which controls each term of the accuracy's change belongs to, in the order they are switched."""

_POINT: Final = 100 / TEST
"""One test sample, in points of accuracy: what another machine's last bits may move."""


class Adaptation:
    """Memory and accuracy of one on-device adaptation."""

    name = "adaptation"
    version = 1
    summary = "On-device adaptation: training memory at true scale, accuracy on a stand-in."
    formula = (
        "Memory_train = weights + gradients + optimizer + activations\n"
        "             = weights · (1 + multipliers)\n"
        "weights      frozen · bits/8 + trained · 4 B (2 B mixed)\n"
        "gradients    trained · 4 B (2 B mixed)\n"
        "optimizer    trained · SGD 0, momentum 4, Adam 8 B; mixed + 4 B\n"
        "activations  batch · what the layers keep for the backward pass"
    )
    sources = (
        "Cai et al. 2020, TinyTL: Reduce Memory, Not Parameters (NeurIPS), §3",
        "Rajbhandari et al. 2020, ZeRO (SC), §3.1",
        "Hu et al. 2021, LoRA",
        "Korthikanti et al. 2022, Reducing Activation Recomputation",
    )
    controls = (
        Control("network", "", "choice", "the network, at true scale", "resnet-50", choices=NAMES),
        Control(
            "method",
            "",
            "choice",
            "what is trained",
            "full",
            choices=("none", "full", "last", "bias", "lora"),
        ),
        Control("last_k", "", "integer", "layers (blocks) that `last` trains", 3, 1, 80),
        Control("rank", "", "integer", "rank of LoRA's adapters", 8, 1, 256, 2.0, "log"),
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
            "32-bit, or mixed 16/32-bit precision",
            "fp32",
            choices=("fp32", "mixed"),
        ),
        Control(
            "sequence", "tokens", "integer", "tokens a sample (Llama)", 512, 64, 8192, 2.0, "log"
        ),
        Control(
            "convention",
            "",
            "choice",
            "full accounting, or the TinyTL paper's",
            "full",
            choices=("full", "paper"),
        ),
        Control(
            "shift",
            "",
            "choice",
            "how the stand-in's domain moved",
            "dust",
            choices=SHIFTS,
        ),
        Control("strength", "", "number", "how far it moved", 0.5, 0.0, 1.0, 0.05),
        Control(
            "examples", "samples", "integer", "shifted digits to learn from", 150, 10, 1000, 10
        ),
        Control("epochs", "passes", "integer", "passes over them", 4, 1, 20),
    )
    metrics = (
        Metric("peak_memory", "B", "lower", "memory that training needs", True, 0.0, _PARTS),
        Metric("inference_memory", "B", None, "memory of inference, one sample", True),
        Metric("amplification", "×", "lower", "training over inference memory", True),
        Metric("trained_parameters", "", "lower", "parameters that are trained", True),
        Metric("update_bytes", "B", "lower", "trained parameters, as they are sent", True),
        Metric(
            "accuracy",
            "%",
            "higher",
            "adapted accuracy, measured on the stand-in",
            False,
            _POINT,
            _LEARNING,
        ),
        Metric("accuracy_before", "%", None, "unadapted, measured on the stand-in", False, _POINT),
        Metric("updates", "", None, "optimizer steps on the stand-in", True),
    )
    series = (
        Series("memory", "B", "where the bytes go", _PARTS),
        Series("kept_by_block", "B", "activations that each block keeps"),
        Series("learning", "%", "accuracy after each pass, on the stand-in", (), False, _POINT),
    )
    mechanisms = (
        Mechanism("weights", "the weights themselves, at their precision"),
        Mechanism("gradients", "one gradient for each trained parameter"),
        Mechanism("optimizer", "the optimizer's state for each trained parameter"),
        Mechanism("activations", "what the forward pass keeps for the backward pass"),
        Mechanism("capacity", "which parameters may change"),
        Mechanism("updates", "how many steps there are, and how noisy each is"),
        Mechanism("step_rule", "how a gradient becomes a step"),
        Mechanism("rounding", "how coarsely the frozen weights are kept"),
        Mechanism("domain", "how far the world moved"),
    )

    def evaluate(self, setting: Setting, *, seed: int) -> Outcome:
        """Memory and accuracy at ``setting``. Raises SettingError at the border."""
        *_, last = self.stream(setting, seed=seed)
        return last

    def stream(self, setting: Setting, *, seed: int) -> Iterator[Outcome]:
        """First the accounting alone (under a millisecond), then with the accuracy measured."""
        asked = complete(self.controls, setting)
        memory = _memory(asked)
        metrics = {
            "peak_memory": memory.peak,
            "inference_memory": memory.inference,
            "amplification": memory.amplification,
            "trained_parameters": memory.trained_parameters,
            "update_bytes": memory.trained_weights,
        }
        series = {
            "memory": tuple(float(getattr(memory, part)) for part in _PARTS),
            "kept_by_block": tuple(map(float, memory.kept_by_block)),
        }
        yield Outcome(metrics, series)
        learnt = _learnt(asked, seed)
        metrics |= {
            "accuracy": 100 * learnt.accuracy,
            "accuracy_before": 100 * learnt.accuracy_before,
            "updates": learnt.updates,
        }
        yield Outcome(metrics, series | {"learning": tuple(100 * a for a in learnt.curve)})

    def explain(self, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
        """Split a change of ``peak_memory`` (exactly) or of ``accuracy`` into named terms.

        Memory is a sum, so its terms are differences of its parts. Accuracy is no sum: its
        terms are what it does when the groups of controls are switched over one after the
        other, in the order of the mechanisms, each step measured.
        Raises SettingError at the border, ValueError for a metric without terms.
        """
        first, second = complete(self.controls, before), complete(self.controls, after)
        if metric == "peak_memory":
            old, new = _memory(first), _memory(second)
            terms = {part: float(getattr(new, part) - getattr(old, part)) for part in _PARTS}
            return Terms(metric, float(old.peak), float(new.peak), terms)
        if metric != "accuracy":
            raise ValueError(f"{metric} has no terms; explain peak_memory or accuracy")
        found = switched(
            metric, lambda asked: 100 * _learnt(asked, seed).accuracy, first, second, _MOVED_BY
        )
        return replace(found, terms={term: found.terms[term] for term in _LEARNING})


def _memory(asked: Mapping[str, Any]) -> MemoryBreakdown:
    size = (
        {_SEQUENCED[asked["network"]]: asked["sequence"]} if asked["network"] in _SEQUENCED else {}
    )
    plan = Plan(
        method=asked["method"],
        k=asked["last_k"],
        rank=asked["rank"],
        frozen_bits=int(asked["frozen_bits"]),
        batch=asked["batch"],
        optimizer=asked["optimizer"],
        arithmetic=asked["arithmetic"],
        convention=asked["convention"],
    )
    found = network(asked["network"], **size)
    if plan.method == "last" and plan.k > found.units:
        allowed = f"{found.name} has {found.units} {found.unit}s"
        raise SettingError("last_k", plan.k, allowed)
    return training_memory(found, plan)


def _learnt(asked: Mapping[str, Any], seed: int) -> standin.Adaptation:
    """The stand-in's adaptation under the same plan.

    ``last`` trains the same share of the stand-in's layers as of the network's, at least one.
    """
    share = min(1.0, asked["last_k"] / network(asked["network"]).units)
    return standin.adapt(
        shift=asked["shift"],
        strength=asked["strength"],
        method=asked["method"],
        depth=max(1, round(share * standin.DEPTH)),
        rank=asked["rank"],
        frozen_bits=int(asked["frozen_bits"]),
        batch=asked["batch"],
        optimizer=asked["optimizer"],
        examples=asked["examples"],
        epochs=asked["epochs"],
        seed=seed,
    )


MODEL: Final = Adaptation()
