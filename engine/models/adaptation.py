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
    Terms,
    complete,
)
from engine.numerics import standin
from engine.numerics.digits import TEST
from engine.numerics.memory import MemoryBreakdown, training_memory
from engine.numerics.networks import network
from engine.numerics.shifts import SHIFTS
from engine.numerics.work import training_work
from engine.switching import switched
from engine.training import CONTROLS, control, planned

_PARTS: Final = ("weights", "gradients", "optimizer", "activations")

_LEARNING: Final = ("capacity", "updates", "step_rule", "rounding", "domain")
_MOVED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "domain": ("shift", "strength"),
    "rounding": ("frozen_bits", "arithmetic", "scaling"),
    "capacity": ("network", "method", "last_k", "rank", "channels"),
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
        "activations  batch · what the layers keep for the backward pass;\n"
        "             recomputed: cuts so far + what one segment keeps, at its largest"
    )
    sources = (
        "Cai et al. 2020, TinyTL: Reduce Memory, Not Parameters (NeurIPS), §3",
        "Rajbhandari et al. 2020, ZeRO (SC), §3.1",
        "Hu et al. 2021, LoRA",
        "Korthikanti et al. 2022, Reducing Activation Recomputation",
        "Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost",
        "Lin et al. 2022, On-Device Training Under 256KB Memory, §2.1, and the code published "
        "with it (mit-han-lab/tiny-training)",
    )
    controls = (
        *(each for each in CONTROLS if each.name not in ("examples", "epochs")),
        Control(
            "scaling",
            "",
            "switch",
            "scale the gradients of the 8-bit graph to its weights (on the stand-in)",
            True,
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
        control("examples", summary="shifted digits to learn from"),
        control("epochs"),
    )
    metrics = (
        Metric("peak_memory", "B", "lower", "memory that training needs", True, 0.0, _PARTS),
        Metric("inference_memory", "B", None, "memory of inference, one sample", True),
        Metric("amplification", "×", "lower", "training over inference memory", True),
        Metric("trained_parameters", "", "lower", "parameters that are trained", True),
        Metric(
            "extra_compute", "%", "lower", "arithmetic that runs again, of a training step's", True
        ),
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
        Series("kept_by_block", "B", "what each block keeps, when most is held"),
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
        Mechanism("rounding", "how coarsely weights are kept, and what makes up for it"),
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
            "extra_compute": _extra(asked),
            "update_bytes": memory.update,
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
    return training_memory(*planned(asked))


def _extra(asked: Mapping[str, Any]) -> float:
    """Arithmetic that runs again, in per cent of a step's without it."""
    if asked["recompute"] == "none":
        return 0.0
    work = training_work(*planned(asked))
    return 100 * work.again / (work.forward + work.backward)


def _learnt(asked: Mapping[str, Any], seed: int) -> standin.Adaptation:
    """The stand-in's adaptation under the same plan.

    ``last`` and ``sparse`` train the same share of the stand-in's layers as of the network's, at
    least one. Recomputing changes no number that is learnt, and 16-bit arithmetic none that shows
    here: the stand-in knows the 8-bit graph alone.
    """
    share = min(1.0, asked["last_k"] / network(asked["network"]).units)
    return standin.adapt(
        shift=asked["shift"],
        strength=asked["strength"],
        method=asked["method"],
        depth=max(1, round(share * standin.DEPTH)),
        rank=asked["rank"],
        channels=int(asked["channels"]),
        frozen_bits=int(asked["frozen_bits"]),
        eight_bit=asked["arithmetic"] == "int8",
        scaling=asked["scaling"],
        batch=asked["batch"],
        optimizer=asked["optimizer"],
        examples=asked["examples"],
        epochs=asked["epochs"],
        seed=seed,
    )


MODEL: Final = Adaptation()
