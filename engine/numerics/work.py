"""Arithmetic and traffic of training a network on the device, to the operation and the byte.

A forward pass is one multiply-accumulate a weight and position. The backward pass repeats as
many for the gradient of a layer's input, wherever a gradient must travel on to something
trained before it, and as many again for the gradient of each weight that is trained (Rumelhart,
Hinton and Williams 1986; the "backward costs twice the forward" of full training). An adapter
of rank r is two more matrices, d_in by r and r by d_out.

A segment that is recomputed runs its forward pass a second time. Of a weight that is trained in
part, the gradient costs that part.

Traffic counts what cannot stay on the chip: all weights once, those that a gradient travels
through once more (by their share of the parameters) and those that run again once more,
whatever a forward pass keeps written once and read once, and for each trained parameter its
gradient and optimizer state read and written, its weight written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.numerics.layers import Network
from engine.numerics.memory import Plan, trained_parts, trained_turns, turns


@dataclass(frozen=True, slots=True)
class Work:
    """One sample's multiply-accumulates, and one step's bytes.

    ``forward``, ``again`` and ``backward`` are a sample's: the pass, what of it runs a second
    time, the gradients. The ``*_moved`` are bytes a step of the whole batch; ``update`` is the
    bytes of what was trained, as it is sent. Where blocks take turns these are the means over
    the blocks, each of which has an equal share of the steps.
    """

    forward: int
    again: int
    backward: int
    weights_moved: int
    kept_moved: int
    update_moved: int
    update: int


def training_work(network: Network, plan: Plan) -> Work:
    """Account for training ``network`` under ``plan``.

    Raises ValueError if the plan does not fit the network, as the memory accounting does.
    """
    trained = trained_parts(network, plan)
    adapter_macs = trained.adapter * network.positions
    macs = network.macs_of
    memories = turns(network, plan)
    second = np.array(memories[0].again)  # where blocks take turns, none does
    again = int(((macs + adapter_macs) * second).sum())
    # A product of two activations (attention) has a gradient for each of them.
    own = network.weights + network.biases
    operands = np.where(own > 0, 1, 2)
    backward = weights_moved = kept_moved = update_moved = 0
    for turn, memory in zip(trained_turns(network, plan, trained), memories, strict=True):
        passes = turn.passes
        inputs = int(((macs * operands + adapter_macs) * passes).sum())
        # An adapted matrix is frozen: its adapter has weight gradients, the matrix has none.
        share = macs // np.maximum(network.weights, 1) * turn.weights
        backward += inputs + int(share.sum() + adapter_macs.sum())
        travelled = int((own * passes).sum()) + int((own * second).sum())
        weights_moved += memory.weights + memory.weights * travelled // network.parameters
        kept_moved += 2 * memory.written
        update_moved += 2 * (memory.gradients + memory.optimizer) + memory.trained_weights
    return Work(
        forward=int(macs.sum() + adapter_macs.sum()),
        again=again,
        backward=backward // len(memories),
        weights_moved=weights_moved // len(memories),
        kept_moved=kept_moved // len(memories),
        update_moved=update_moved // len(memories),
        update=memories[0].update,
    )
