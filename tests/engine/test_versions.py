"""A model whose numbers move must say so: its version is part of every ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine import registry

GOLDENS = Path(__file__).parent / "goldens"
SETTINGS: dict[str, list[dict[str, Any]]] = {
    "adaptation": [
        {"network": "llama-3-70b", "arithmetic": "mixed", "frozen_bits": "4", "method": "lora"}
        | {"rank": 32, "batch": 1, "shift": "habits", "strength": 0.7},
        {"network": "resnet-50", "method": "full", "batch": 32, "shift": "dust", "strength": 0.8},
        {"network": "whisper-tiny-encoder", "method": "last", "last_k": 3, "optimizer": "sgd"}
        | {"frozen_bits": "16", "batch": 2, "shift": "accent", "strength": 0.6},
        {"network": "ds-cnn", "method": "bias", "frozen_bits": "8", "optimizer": "momentum"}
        | {"batch": 4, "shift": "ear", "strength": 0.95},
        {"network": "proxylessnas-mobile", "method": "none", "convention": "paper"},
        {"network": "proxylessnas-mobile", "recompute": "best", "convention": "paper"},
        {"network": "ds-cnn", "method": "sparse", "last_k": 9, "channels": "4", "optimizer": "sgd"}
        | {"arithmetic": "int8", "frozen_bits": "8", "shift": "accent", "strength": 0.6},
        {"network": "whisper-tiny-encoder", "method": "layerwise", "recompute": "uniform"},
    ],
    "adapters": [{}, {"adapters": 2000, "rank": 64, "skew": 1.0, "cache": 4e9, "overlap": 0.5}],
    "dedup": [
        {},
        {"redundancy": 0.75, "near": 0.7, "edits": 0.03, "skew": 0.5, "template": 0.55}
        | {"bands": "32x4", "epochs": 2, "share": 0.7},
        {"redundancy": 0.03, "skew": 0.0, "rare": 0.1, "template": 0.7, "bands": "8x16"}
        | {"parameters": 2e4, "tokens": 1e7, "flop_rate": 1e12, "devices": 1},
    ],
    "energy": [
        {},
        {"network": "ds-cnn", "method": "bias", "batch": 1, "syncs": 4, "frozen_bits": "16"},
        {"network": "whisper-tiny-encoder", "recompute": "best", "batch": 4, "frozen_bits": "16"},
        {"network": "ds-cnn", "method": "layerwise", "sessions": 3},
        {"network": "mobilenetv2", "method": "sparse", "last_k": 20, "arithmetic": "int8"},
    ],
    "fleet": [
        {"rounds": 10},
        {"rounds": 8, "method": "scaffold", "learning_rate": 0.5},
        {"rounds": 8, "method": "fedprox", "alpha": 0.3, "batch": 20},
        {"rounds": 8, "correlated": True, "reliability": 0.7, "selection": "reliable"},
        {"rounds": 8, "correlated": True, "reliability": 0.7, "selection": "power-of-choice"},
    ],
    "gossip": [
        {"rounds": 8, "nodes": 49},
        {"rounds": 8, "nodes": 36, "topology": "ring", "link_loss": 0.3, "loss_kind": "one-way"},
        {"rounds": 8, "nodes": 36, "topology": "grid", "mixes": 4},
    ],
    "labeling": [
        {"labels": 60, "pool": 300, "target": 80.0},
        {"labels": 55, "pool": 200, "label_error": 0.2, "votes": 3, "strategy": "entropy"}
        | {"target": 75.0, "scored_share": 0.3},
        {"labels": 400, "budget": 20.0, "strategy": "least-confidence", "batch": 25}
        | {"slice_share": 0.2, "target": 85.0},
    ],
    "lifecycle": [
        {},
        {"tax_stage": "evaluate", "tax_weeks": 2.0, "gap": 0.5, "relief": 2.0, "fault": 0.3}
        | {"check_stage": "prepare", "check_weeks": 0.2, "batch": 4, "late_base": 1.4},
        {"automate": "label", "automation": 3.0, "hires": 3, "compute": 4.0, "changes": 8}
        | {"tax_stage": "label", "tax_weeks": 4.3, "batch": 3, "spread": 0.8},
    ],
    "mixture": [
        {},
        {"share": 90.0, "randomisation": 0.5, "bought": 500, "audit_share": 40.0, "rain": 0.5},
        {"share": 35.0, "owned": 400, "scale": 1.0, "displacement": 1.25},
    ],
    "privacy": [{"rounds": 10}, {"rounds": 10, "epsilon": 4.0, "aggregation": "local"}],
    "velocity": [
        {},
        {"size": 4.0, "compute": 4.0, "parallel": 3, "validation": 35.0, "batch": 3, "weeks": 30.0}
        | {"checked": 60.0, "tax": 4.345, "tax_price": 15e3, "label_rate": 1e3, "day_one": 75.0},
        {"size": 0.25, "tax": 0.05, "training": 0.4, "work": 0.06, "exponent_shift": -0.2},
    ],
}
SEED = 2026


@pytest.mark.parametrize("name", registry.names())
def test_a_models_numbers_are_those_of_its_version(name: str) -> None:
    """To renew after a meant change: bump the model's version and run ``python -m`` this file."""
    model = registry.model(name)
    golden = json.loads((GOLDENS / f"{name}-v{model.version}.json").read_text(encoding="utf-8"))
    for setting, expected in zip(SETTINGS[name], golden, strict=True):
        metrics = model.evaluate(setting, seed=SEED).metrics
        assert metrics.keys() == expected.keys()
        for metric in model.metrics:
            want = expected[metric.name]
            assert metrics[metric.name] == pytest.approx(
                want, rel=1e-9, abs=metric.tolerance * 1.000001
            ), f"{metric.name} moved: bump {name}.version"


def renew() -> None:
    """Write the goldens of the versions that stand."""
    GOLDENS.mkdir(exist_ok=True)
    for name in registry.names():
        model = registry.model(name)
        found = [dict(model.evaluate(setting, seed=SEED).metrics) for setting in SETTINGS[name]]
        path = GOLDENS / f"{name}-v{model.version}.json"
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    renew()
