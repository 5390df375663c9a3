"""Keeping a few tensors and computing the others again: activation checkpointing.

Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost": the layers are cut into
segments. The forward pass keeps only what crosses the cuts; the backward pass takes the segments
from the last to the first and runs each again before it differentiates it. While a segment is
differentiated, memory holds

    what crosses the cuts so far + what the segment's layers keep + what is alive in it.

For n equal layers and k equal segments that is k + n/k, at its best 2·√n, for almost one more
forward pass. The last segment is not run again: its layers have just been run.

``uniform`` cuts the layers into √n segments of the same number, the rule for equal layers; of
unequal ones it may need more than keeping everything. ``best`` looks at the sizes: for a ceiling
on the memory, the least that must be held on reaching each cut follows from the cuts before it,
and halving the ceiling's range finds the lowest one that any cuts can keep. Holding less is never
worse, so that this is the least of all segmentations. Of equal layers it makes the early segments
longer than the late ones, since fewer tensors are held when the early ones are run again: about
√(2n) instead of 2·√n.

A convnet may be cut before any layer, a transformer before any block; never before a layer that
writes over its input, which would have to be stored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

import numpy as np

from engine.numerics.layers import Bools, Ints, Network

Recompute: TypeAlias = Literal["none", "uniform", "best"]
RECOMPUTE: tuple[Recompute, ...] = get_args(Recompute)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept for the backward pass, an entry a tensor: bytes, where, and since when.

    ``layer`` keeps ``size`` bytes of a tensor that layer ``made`` wrote (-1 is the input, the
    layer itself for what only it knows). ``whole`` says that the tensor itself is kept, so that
    it need not be alive besides.
    """

    layer: Ints
    made: Ints
    size: Ints
    whole: Bools


@dataclass(frozen=True, slots=True)
class Segments:
    """A choice of cuts and what it costs.

    Attributes:
        starts: the first layer of each segment; what lies before the first of them keeps nothing.
        activations: the largest number of bytes held at once.
        held_by_layer: bytes held at that moment, by the layer that keeps them; what is held at a
            cut counts for the layer after it.
        written: bytes that a step writes for its backward pass, all segments together.
        again: whether each layer runs a second time.
    """

    starts: tuple[int, ...]
    activations: int
    held_by_layer: Ints
    written: int
    again: Bools


@dataclass(frozen=True, slots=True)
class Costs:
    """Bytes of every possible segment, by the numbers of the cuts that it lies between.

    ``held[i, j]`` comes on top at cut j after a segment that began at cut i; ``inside[i, j]`` is
    the most that the segment needs besides; ``last[i]`` the same if it is the last one. ``before``
    is the need of the layers that no segment holds, ``first`` what crosses the first cut,
    ``plain`` the need without any cut.
    """

    cuts: Ints
    held: Ints
    inside: Ints
    last: Ints
    before: int
    first: int
    plain: int

    def peak(self, starts: tuple[int, ...]) -> int:
        """Bytes that the segments from these cuts (numbers, the first being 0) need."""
        if len(starts) == 1:
            return self.plain
        holding, most = self.first, self.before
        for i, j in pairwise(starts):
            most = max(most, holding + int(self.inside[i, j]))
            holding += int(self.held[i, j])
        return max(most, holding + int(self.last[starts[-1]]))


def uniform(costs: Costs, segments: int | None = None) -> tuple[int, ...]:
    """Cuts into equally many layers each: as many segments as given, else the root of n."""
    count = len(costs.cuts)
    if segments is None:
        segments = max(1, round(math.sqrt(count)))
    if not 1 <= segments <= count:
        raise ValueError(f"segments: {segments} is not allowed; give 1 to {count}")
    return tuple(number * count // segments for number in range(segments))


def best(costs: Costs) -> tuple[int, ...]:
    """The cuts that need least; of equally good ones, with the longest last segment."""
    found = min(((0,), uniform(costs)), key=costs.peak)
    most = costs.peak(found)
    held, inside = costs.held.tolist(), costs.inside.tolist()
    last = costs.last.tolist()
    low = costs.before
    while low < most:
        ceiling = (low + most) // 2
        under = _under(held, inside, last, costs.first, ceiling)
        if under is None:
            low = ceiling + 1
        else:
            found, most = under, costs.peak(under)
    return found


def _under(
    held: list[list[int]], inside: list[list[int]], last: list[int], first: int, ceiling: int
) -> tuple[int, ...] | None:
    """Cuts of two or more segments that stay under the ceiling, or None."""
    count = len(last)
    least: list[int | None] = [first] + [None] * (count - 1)
    before = [0] * count
    for i in range(count):
        here = least[i]
        if here is None:
            continue
        if i and here + last[i] <= ceiling:
            path = [i]
            while path[-1]:
                path.append(before[path[-1]])
            return tuple(reversed(path))
        room = ceiling - here
        holds, needs = held[i], inside[i]
        for j in range(i + 1, count):
            if needs[j] > room:
                continue  # a longer segment may need less: it waits on a smaller gradient
            old = least[j]
            if old is None or here + holds[j] < old:
                least[j] = here + holds[j]
                before[j] = i
    return None


def price(network: Network, kept: Kept, scale: int, profiled_only: bool = False) -> Costs:
    """Bytes of every segment of ``network``.

    ``scale`` is the bytes of one element of a whole batch. ``profiled_only`` is the TinyTL
    paper's convention: it looks at some kinds of layers, and before what they keep themselves.
    """
    count = len(network.layers)
    made, born, read, elements = network.lifetimes
    size = elements * scale
    cuts = _cuts(network, kept)
    # Every kept tensor counts for the segments that begin before it was made: numbers 0..rank-1.
    rank = np.searchsorted(cuts, kept.made, side="right")
    grid = np.zeros((len(cuts) + 1, count), dtype=np.int64)
    np.add.at(grid, (rank, kept.layer), kept.size)
    own = _from_below(grid)
    so_far = np.cumsum(own, axis=1)
    alive = network.live * scale
    working = alive + so_far - (own if profiled_only else 0)

    # The first run of a segment: values alive and not kept, while the gradient of all that
    # crosses its end waits. What was made before the segment is held already.
    whole = np.full(count + 1, count, dtype=np.int64)
    np.minimum.at(whole, kept.made[kept.whole] + 1, kept.layer[kept.whole])
    until = np.minimum(read, whole[made + 1] - 1)
    stays = until >= born
    rank = np.searchsorted(cuts, made, side="right")
    grid = np.zeros((len(cuts) + 1, count + 2), dtype=np.int64)
    np.add.at(grid, (rank[stays], born[stays]), size[stays])
    np.add.at(grid, (rank[stays], until[stays] + 1), -size[stays])
    values = np.cumsum(_from_below(grid), axis=1)[:, :count]
    running = values + so_far - (own if profiled_only else 0)

    # What crosses a cut, and of that what was made since an earlier one. Sums of whole numbers
    # below 2**53 are exact in floating point, and matrix products of those are fast.
    over = ((made < cuts[:, None]) & (read >= cuts[:, None])).astype(np.float64)
    since = np.where(made >= cuts[:, None], size, 0).astype(np.float64)
    crossing = (over @ size).astype(np.int64)
    held = (since @ over.T).astype(np.int64)
    seen = np.arange(count) >= cuts[:, None]
    if profiled_only:
        seen &= network.profiled
    backward = np.maximum.accumulate(np.where(seen, working, 0), axis=1)
    forward = np.maximum.accumulate(np.where(seen, running, 0), axis=1)
    inside = np.maximum(backward[:, cuts - 1], forward[:, cuts - 1] + crossing)
    first = int(cuts[0])
    looked = network.profiled if profiled_only else np.ones(count, dtype=np.bool_)
    return Costs(
        cuts=cuts,
        held=held,
        inside=inside,
        last=backward[:, -1],
        before=int(np.max(alive[:first], where=looked[:first], initial=0)),
        first=int(crossing[0]),
        plain=_plain(network, kept, scale, profiled_only),
    )


def whole(network: Network, kept: Kept, scale: int, profiled_only: bool = False) -> Segments:
    """One segment, which does not run again; arguments as of :func:`price`."""
    by_layer = _by_layer(network, kept)
    need = _plain(network, kept, scale, profiled_only)
    again = np.zeros(len(by_layer), dtype=np.bool_)
    return Segments((0,), need, by_layer, int(by_layer.sum()), again)


def segments(network: Network, kept: Kept, costs: Costs, starts: tuple[int, ...]) -> Segments:
    """What the segments from the cuts of these numbers hold, write and run again."""
    count = len(network.layers)
    again = np.zeros(count, dtype=np.bool_)
    if len(starts) == 1:
        by_layer = _by_layer(network, kept)
        return Segments((0,), costs.plain, by_layer, int(by_layer.sum()), again)
    peak, layers = costs.peak(starts), tuple(int(costs.cuts[i]) for i in starts)
    again[layers[0] : layers[-1]] = True
    ends = (*layers[1:], count)
    checkpoints = np.zeros(count, dtype=np.int64)
    held_at_peak, written, holding = checkpoints, 0, 0
    for number, (start, end) in enumerate(zip(layers, ends, strict=True)):
        i = starts[number]
        extra = costs.first if not number else int(costs.held[starts[number - 1], i])
        checkpoints[start] += extra
        holding += extra
        chosen = (kept.layer >= start) & (kept.layer < end) & (kept.made >= start)
        own = np.bincount(kept.layer[chosen], kept.size[chosen], count).astype(np.int64)
        written += extra + int(own.sum())
        need = costs.last[i] if end == count else costs.inside[i, starts[number + 1]]
        if holding + int(need) == peak and held_at_peak is checkpoints:
            held_at_peak = checkpoints + own
    return Segments(layers, peak, held_at_peak, written, again)


def _by_layer(network: Network, kept: Kept) -> Ints:
    return np.bincount(kept.layer, kept.size, len(network.layers)).astype(np.int64)


def _plain(network: Network, kept: Kept, scale: int, profiled_only: bool) -> int:
    """The most that is held at once if nothing runs again."""
    by_layer = _by_layer(network, kept)
    need = network.live * scale + np.cumsum(by_layer)
    if profiled_only:
        need = (need - by_layer)[network.profiled]
    return int(need.max())


def _cuts(network: Network, kept: Kept) -> Ints:
    """Layers before which a segment may begin, from the last before anything is kept."""
    layers = np.arange(len(network.layers))
    if network.unit == "layer":
        cuts = layers[[not layer.in_place for layer in network.layers]]
    else:
        cuts = np.flatnonzero(np.diff(network.block_of, prepend=-1))
    start = int(kept.layer[kept.size > 0].min(initial=len(layers)))
    if start == len(layers):
        return np.zeros(1, dtype=np.int64)
    return cuts[max(0, int(np.searchsorted(cuts, start, side="right")) - 1) :]


def _from_below(grid: Ints) -> Ints:
    """Row i as the sum of the rows of higher ranks: all that was made since cut i."""
    summed: Ints = np.cumsum(grid[::-1], axis=0)[::-1][1:]
    return summed
