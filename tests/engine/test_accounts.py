"""What is accounted before anything is learnt is what an evaluation gives."""

from __future__ import annotations

from typing import Any

import pytest

from engine import registry
from engine.contract import Accounting

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("fleet", {"rounds": 4, "clients": 20, "participation": 5, "reliability": 0.6}),
    (
        "fleet",
        {
            "rounds": 6,
            "clients": 20,
            "participation": 4,
            "reliability": 0.5,
            "correlated": True,
            "selection": "reliable",
            "byte_cap": 60_000.0,
            "price": 0.02,
        },
    ),
    ("fleet", {"rounds": 3, "clients": 20, "participation": 4, "selection": "power-of-choice"}),
    ("gossip", {"rounds": 2, "nodes": 20, "mixes": 3}),
    ("labeling", {"pool": 300, "batch": 20, "label_error": 0.05, "votes": 3, "budget": 60.0}),
    ("labeling", {"pool": 100, "strategy": "random", "labels": 150, "true_labels": 50.0}),
    ("privacy", {"rounds": 3, "clients": 20, "epsilon": 2.0, "aggregation": "local"}),
    ("mixture", {"share": 65.3, "randomisation": 0.4, "bought": 700, "audit_share": 35.0}),
]


@pytest.mark.parametrize(("name", "setting"), SETTINGS)
def test_accounts_are_metrics_of_an_evaluation(name: str, setting: dict[str, Any]) -> None:
    found = registry.evaluate(name, setting, seed=3).metrics
    accounts = registry.accounts(name, setting, seed=3)
    assert accounts
    assert accounts == {metric: found[metric] for metric in accounts}
    exact = {metric.name for metric in registry.model(name).metrics if metric.exact}
    assert exact <= accounts.keys()


def test_losses_that_decide_who_is_asked_can_not_be_accounted_for() -> None:
    setting = {"rounds": 2, "clients": 20, "participation": 4}
    for selection, known in (("random", True), ("reliable", True), ("power-of-choice", False)):
        accounts = registry.accounts("fleet", {**setting, "selection": selection}, seed=1)
        assert ("wasted_joules" in accounts) is known


def test_a_model_that_only_measures_has_no_accounts() -> None:
    assert not isinstance(registry.model("adaptation"), Accounting)
    assert registry.accounts("adaptation", {}, seed=1) == {}


def test_what_another_price_asks_for_is_not_learnt_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.models import fleet

    setting = {"rounds": 3, "clients": 12, "participation": 3, "alpha": 0.37}
    first = registry.evaluate("fleet", setting, seed=11)
    monkeypatch.setattr(fleet, "rounds", None)  # who learns again fails
    dearer = registry.evaluate("fleet", {**setting, "update_bytes": 5200, "price": 1.0}, seed=11)
    assert dearer.metrics["bytes_sent"] == 2 * first.metrics["bytes_sent"]
    assert dearer.metrics["accuracy"] == first.metrics["accuracy"]
