"""Arithmetic and traffic of training a network on the device, to the operation and the byte.

A forward pass is one multiply-accumulate a weight and position. The backward pass repeats as
many for the gradient of a layer's input, wherever a gradient must travel on to something
trained before it, and as many again for the gradient of each weight that is trained (Rumelhart,
Hinton and Williams 1986; the "backward costs twice the forward" of full training). An adapter
of rank r is two more matrices, d_in by r and r by d_out.

Traffic counts what cannot stay on the chip: all weights once, those that a gradient travels
through once more (by their share of the parameters), whatever the forward pass keeps written
once and read once, and for each trained parameter its gradient and optimizer state read and
written, its weight written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.numerics.layers import Network
from engine.numerics.memory import Plan, trained_parts, training_memory


@dataclass(frozen=True, slots=True)
class Work:
    """One sample's multiply-accumulates, and one step's bytes.

    ``forward`` and ``backward`` are a sample's; the ``*_moved`` are bytes a step of the whole
    batch; ``update`` is the bytes of what was trained, as it is sent.
    """

    forward: int
    backward: int
    weights_moved: int
    kept_moved: int
    update_moved: int
    update: int


def training_work(network: Network, plan: Plan) -> Work:
    """Account for training ``network`` under ``plan``.

    Raises ValueError if the plan does not fit the network, as the memory accounting does.
    """
    memory = training_memory(network, plan)
    trained = trained_parts(network, plan)
    macs = np.array([layer.macs for layer in network.layers], dtype=np.int64)
    adapter_macs = trained.adapter * network.positions
    learns = (trained.parameters + trained.adapter) > 0
    passes = np.concatenate(([False], np.logical_or.accumulate(learns)[:-1]))
    # An adapted matrix is frozen: its adapter has weight gradients, the matrix has none.
    own = trained.weight & (trained.adapter == 0)
    # A product of two activations (attention) has a gradient for each of them.
    operands = np.where(network.weights + network.biases > 0, 1, 2)
    inputs = int(((macs * operands + adapter_macs) * passes).sum())
    weights = int((macs * own).sum() + adapter_macs.sum())
    passed = int(((network.weights + network.biases) * passes).sum())
    return Work(
        forward=int(macs.sum() + adapter_macs.sum()),
        backward=inputs + weights,
        weights_moved=memory.weights + memory.weights * passed // network.parameters,
        kept_moved=2 * memory.kept,
        update_moved=2 * (memory.gradients + memory.optimizer) + memory.trained_weights,
        update=memory.trained_weights,
    )
