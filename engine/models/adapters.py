"""A million personal adapters before one accelerator: what fits, what is hit, what is served.

All of it is accounting at the true scale. The adapter cache is a least-recently-used stack of
three tiers: what falls out of HBM stands at the front of DRAM, what falls out of DRAM is only
on storage. So the tiers together are one LRU list, and each tier's share of the requests is a
difference of its hit rates. The weights, the adapters and the keys and values of the sequences
being decoded share HBM: a larger cache makes fewer of them decode together.

An *adapter* here is whatever a customer keeps apart from the base: what the method trained, in
bf16. That is a pair of thin matrices for LoRA, whole blocks for the last k, a whole model for
full tuning. The base stays, and is read, whole; only LoRA adds arithmetic to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from engine.contract import Control, Mechanism, Metric, Outcome, Series, Setting, Terms, complete
from engine.numerics.lru import hit_rate, zipf
from engine.numerics.memory import Method, Plan, training_memory
from engine.numerics.networks import network
from engine.switching import switched
from engine.training import control

_NETWORK: Final = "llama-3-70b"
_KV_WIDTH: Final = 1024  # keys, and as many values, a block (Llama team 2024, Table 3)
_VALUE_BYTES: Final = 2  # bf16: keys, values and adapters

HOST_LINKS: Final[Mapping[str, float]] = {"PCIe 4": 25e9, "PCIe 5": 50e9}
STORAGE: Final[Mapping[str, float]] = {"NVMe 4": 7e9, "NVMe 5": 14e9}
"""Bytes a second that a swap sees: scenario values. About four fifths of an x16 link's rate in one
direction (31.5 and 63.0 GB/s: 16 lanes of 16 and 32 GT/s, 128b/130b), and the rated sequential read
of one drive of each generation."""

_TIERS: Final = ("HBM", "DRAM", "NVMe")
_TOKEN: Final = (
    "base_weights",
    "sequences",
    "adapters",
    "arithmetic",
    "host",
    "storage",
    "queue",
)
_RATE: Final = ("demand", "adapter_size", "room")
_MOVED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "demand": ("adapters", "skew"),
    "adapter_size": ("method", "last_k", "rank", "channels"),
    "room": ("cache", "dram_cache"),
}
_CURVE: Final = 41


@dataclass(frozen=True, slots=True)
class _Serving:
    """One setting's accounting. ``parts`` are seconds a served token, empty if none is served."""

    slots: int
    together: int
    spare: float
    adapter: float
    shares: tuple[float, float, float]
    swap: tuple[float, float]
    parts: Mapping[str, float]

    @property
    def token_time(self) -> float:
        return sum(self.parts.values())

    @property
    def served(self) -> float:
        return 1.0 / self.token_time if self.parts else 0.0


class Adapters:
    """Adapter cache, swaps and served throughput of one accelerator."""

    name = "adapters"
    version = 2
    summary = "Personal adapters: cache, swaps between tiers, tokens served a second."
    formula = (
        "A             = what the method trains · 2 B\n"
        "hit rate      h_i = 1 - exp(-p_i T),  Σ h_i = C,  p_i ∝ i^-a\n"
        "mean swap     = share_DRAM · (t_host + A/b_host)\n"
        "              + share_NVMe · (t_host + A/b_host + t_store + A/b_store)\n"
        "together      = min((HBM - weights - cache) / KV, C)\n"
        "time a token  = (weights/together + KV + A) / b_HBM + swap not hidden / reply\n"
        "served        = 1 / time a token"
    )
    sources = (
        "Che, Tung and Wang 2002, Hierarchical Web Caching Systems (IEEE JSAC)",
        "Sheng et al. 2023, S-LoRA: adapters in host memory, fetched for the running queries",
        "Hu et al. 2021, LoRA",
        "NVIDIA H100 SXM datasheet: 80 GB HBM3, 3.35 TB/s, 989 TFLOP/s bf16 dense",
        "PCIe 4/5 x16 at four fifths of the link, one NVMe drive: scenario values",
    )
    controls = (
        Control(
            "adapters", "", "integer", "personal adapters", 1_000_000, 100, 1_000_000, 10.0, "log"
        ),
        Control("skew", "", "number", "Zipf exponent of who asks", 0.9, 0.0, 2.0, 0.05),
        control("method", summary="what each customer's tuning trained", default="lora"),
        control("last_k"),
        control("rank", summary="rank of each LoRA adapter", default=16),
        control("channels"),
        control("frozen_bits", summary="bits of a base weight", default="4"),
        Control("cache", "B", "number", "HBM kept for adapters", 10e9, 0.0, 60e9, 1e9),
        Control("dram_cache", "B", "number", "DRAM kept for adapters", 256e9, 0.0, 4e12, 64e9),
        Control("host_link", "", "choice", "DRAM to HBM", "PCIe 5", choices=tuple(HOST_LINKS)),
        Control("storage", "", "choice", "storage to DRAM", "NVMe 4", choices=tuple(STORAGE)),
        Control("host_fixed", "s", "number", "start of a DRAM swap", 20e-6, 0.0, 0.01, 1e-5),
        Control("storage_fixed", "s", "number", "start of a read", 100e-6, 0.0, 0.1, 1e-4),
        Control("overlap", "", "number", "share of a swap hidden by decoding", 0.0, 0.0, 1.0, 0.05),
        Control("context", "tokens", "integer", "held a sequence", 2048, 128, 32768, 2.0, "log"),
        Control("reply", "tokens", "integer", "decoded a request", 128, 1, 4096, 2.0, "log"),
        Control("memory", "B", "number", "HBM of the accelerator", 80e9, 1e9, 1e12, 1e9),
        Control("reserve", "B", "number", "HBM of runtime and buffers", 4e9, 0.0, 1e11, 1e9),
        Control("bandwidth", "B/s", "number", "HBM bandwidth", 3.35e12, 1e10, 1e14, 1e11),
        Control("peak_rate", "FLOP/s", "number", "of arithmetic", 989e12, 1e12, 1e16, 1e12),
    )
    metrics = (
        Metric("served", "tok/s", "higher", "tokens served a second", True, 0.0, _TOKEN),
        Metric("token_time", "s", None, "time a served token; 0 if none is", True, 0.0, _TOKEN),
        Metric("hit_rate", "%", "higher", "requests whose adapter is in HBM", True, 0.0, _RATE),
        Metric("dram_rate", "%", None, "requests answered from DRAM", True),
        Metric("storage_rate", "%", "lower", "requests answered from storage", True),
        Metric(
            "mean_swap", "s", "lower", "swap time, mean of requests", True, 0.0, ("host", "storage")
        ),
        Metric("swap_share", "%", "lower", "share of the time spent on swaps", True),
        Metric("adapter_bytes", "B", "lower", "what one customer keeps, bf16", True),
        Metric("library_bytes", "B", "lower", "all adapters, on storage", True),
        Metric("slots", "", "higher", "adapters that HBM holds", True),
        Metric("together", "sequences", "higher", "sequences decoded together", True),
        Metric("spare", "B", "higher", "HBM left for sequences; below 0 nothing fits", True),
    )
    series = (
        Series("tiers", "%", "where requests find their adapter", _TIERS),
        Series("token_parts", "s", "where the time of a token goes", _TOKEN),
        Series("cache_sizes", "B", "cache sizes of the two curves, to half of HBM"),
        Series("served_by_cache", "tok/s", "served, were the cache of that size"),
        Series("hit_by_cache", "%", "hit rate, were the cache of that size"),
    )
    mechanisms = (
        Mechanism("base_weights", "the base weights, read once a step for the whole batch"),
        Mechanism("sequences", "keys and values, read for each sequence"),
        Mechanism("adapters", "each sequence's own adapter, read each step"),
        Mechanism("arithmetic", "what arithmetic takes longer than memory"),
        Mechanism("host", "swaps from DRAM over the host link"),
        Mechanism("storage", "swaps from storage into DRAM"),
        Mechanism("queue", "waiting for the one link that all swaps share"),
        Mechanism("demand", "how many adapters there are, and how unevenly they are asked for"),
        Mechanism("adapter_size", "how many adapters fit into a gigabyte"),
        Mechanism("room", "how many gigabytes they are given"),
    )

    def evaluate(self, setting: Setting, *, seed: int) -> Outcome:
        """The accounting at ``setting``; no randomness. Raises SettingError at the border."""
        del seed
        asked = complete(self.controls, setting)
        here = _served(asked)
        sizes = np.linspace(0.0, asked["memory"] / 2, _CURVE)
        curve = [_served(asked | {"cache": float(size)}) for size in sizes]
        swaps = sum(here.parts.get(part, 0.0) for part in ("host", "storage", "queue"))
        return Outcome(
            {
                "served": here.served,
                "token_time": here.token_time,
                "hit_rate": 100 * here.shares[0],
                "dram_rate": 100 * here.shares[1],
                "storage_rate": 100 * here.shares[2],
                "mean_swap": sum(here.swap),
                "swap_share": 100 * swaps / here.token_time if here.parts else 0.0,
                "adapter_bytes": here.adapter,
                "library_bytes": here.adapter * asked["adapters"],
                "slots": here.slots,
                "together": here.together,
                "spare": here.spare,
            },
            {
                "tiers": tuple(100 * share for share in here.shares),
                "token_parts": tuple(here.parts.get(part, 0.0) for part in _TOKEN),
                "cache_sizes": tuple(sizes.tolist()),
                "served_by_cache": tuple(at.served for at in curve),
                "hit_by_cache": tuple(100 * at.shares[0] for at in curve),
            },
        )

    def stream(self, setting: Setting, *, seed: int) -> Iterator[Outcome]:
        """One outcome: there is nothing to wait for."""
        yield self.evaluate(setting, seed=seed)

    def explain(self, metric: str, before: Setting, after: Setting, *, seed: int) -> Terms:
        """Split a change exactly (token_time, served, mean_swap) or by switching (hit_rate).

        The time of a token is a sum, so its terms are differences of its parts. What is served
        is its inverse: 1/t - 1/s = (s - t)/(s·t), so the same terms are scaled. Where one of the
        two settings serves nothing at all, the change belongs to what did not fit: to
        ``base_weights`` if they alone are too large, else to ``sequences``, or to ``adapters`` if
        the cache holds none. The hit rate's terms are what it does when the groups of controls
        are switched over one after the other.
        Raises SettingError at the border, ValueError for a metric without terms.
        """
        del seed
        first, second = complete(self.controls, before), complete(self.controls, after)
        old, new = _served(first), _served(second)
        if metric == "mean_swap":
            pair = zip(("host", "storage"), old.swap, new.swap, strict=True)
            return Terms(metric, sum(old.swap), sum(new.swap), {n: b - a for n, a, b in pair})
        if metric == "hit_rate":
            return _rate_terms(first, second)
        if metric not in ("token_time", "served"):
            raise ValueError(
                f"{metric} has no terms; explain served, token_time, mean_swap or hit_rate"
            )
        start, end = getattr(old, metric), getattr(new, metric)
        terms = dict.fromkeys(_TOKEN, 0.0)
        if old.parts and new.parts:
            scale = 1.0 if metric == "token_time" else -old.served * new.served
            terms = {part: scale * (new.parts[part] - old.parts[part]) for part in _TOKEN}
        else:
            stuck, asked = (new, second) if old.parts else (old, first)
            terms[_obstacle(stuck, asked)] = end - start
        return Terms(metric, start, end, terms)


def _served(asked: Mapping[str, Any]) -> _Serving:
    weights = _parameters() * int(asked["frozen_bits"]) / 8
    own = _own_parameters(asked["method"], asked["last_k"], asked["rank"], int(asked["channels"]))
    adapter = float(own * _VALUE_BYTES)
    sequence = float(asked["context"] * _blocks() * 2 * _KV_WIDTH * _VALUE_BYTES)
    slots = _fitting(asked["cache"], adapter, asked["adapters"])
    law = zipf(asked["adapters"], asked["skew"])
    near = hit_rate(law, slots)
    held = hit_rate(law, slots + _fitting(asked["dram_cache"], adapter, asked["adapters"]))
    shares = (near, held - near, 1.0 - held)
    over_link = asked["host_fixed"] + adapter / HOST_LINKS[asked["host_link"]]
    over_bus = asked["storage_fixed"] + adapter / STORAGE[asked["storage"]]
    swap = ((1.0 - near) * over_link, shares[2] * over_bus)

    spare = asked["memory"] - asked["reserve"] - weights - asked["cache"]
    together = min(math.floor(max(spare, 0.0) / sequence), slots)
    parts: dict[str, float] = {}
    if together:
        parts = {
            "base_weights": weights / together / asked["bandwidth"],
            "sequences": sequence / asked["bandwidth"],
            "adapters": adapter / asked["bandwidth"],
        }
        added = own if asked["method"] == "lora" else 0
        flops = 2.0 * (_parameters() + added)
        parts["arithmetic"] = max(0.0, flops / asked["peak_rate"] - sum(parts.values()))
        exposed = 1.0 - asked["overlap"]
        parts["host"] = exposed * swap[0] / asked["reply"]
        parts["storage"] = exposed * swap[1] / asked["reply"]
        parts["queue"] = max(0.0, sum(swap) / asked["reply"] - sum(parts.values()))
    return _Serving(slots, together, spare, adapter, shares, swap, parts)


def _fitting(room: float, adapter: float, adapters: int) -> int:
    """How many adapters fit into ``room`` bytes; all of them if they are nothing."""
    return int(room // adapter) if adapter else adapters


def _obstacle(stuck: _Serving, asked: Mapping[str, Any]) -> str:
    if stuck.spare + asked["cache"] <= 0.0:
        return "base_weights"
    return "sequences" if stuck.slots else "adapters"


def _rate_terms(first: Mapping[str, Any], second: Mapping[str, Any]) -> Terms:
    return switched(
        "hit_rate", lambda asked: 100 * _served(asked).shares[0], first, second, _MOVED_BY
    )


def _parameters() -> int:
    return network(_NETWORK).parameters


def _blocks() -> int:
    return network(_NETWORK).units


@lru_cache(maxsize=256)
def _own_parameters(method: Method, last_k: int, rank: int, channels: int) -> int:
    """Parameters that a customer does not share with the others."""
    plan = Plan(method, k=last_k, rank=rank, channels=channels)
    return training_memory(network(_NETWORK), plan).trained_parameters


MODEL: Final = Adapters()
