"""What a network is to the memory accounting: a list of layers in the order they run.

A :class:`Layer` is one operation on one sample: which tensors it reads and writes, how many
parameters and multiply-accumulates it has, and what it must *keep* until the backward pass.
A :class:`Network` is the list, with the arrays that the accounting works on. Networks are
built by a :class:`Tape` that replays the architecture's description; nothing here is a typed
total. Counts are elements of one sample, whatever their precision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Kind: TypeAlias = Literal[
    "conv",
    "dwconv",
    "linear",
    "norm",
    "embedding",
    "activation",
    "scores",
    "softmax",
    "dropout",
    "mix",
    "gate",
    "add",
    "pool",
    "loss",
]
Activation: TypeAlias = Literal["relu", "relu6", "gelu", "silu", "h-swish", "none"]
Need: TypeAlias = Literal["weight", "pass"]
Form: TypeAlias = Literal["value", "bit", "byte", "word"]


@dataclass(frozen=True, slots=True)
class Keep:
    """One thing that a layer holds from the forward pass to its backward pass.

    ``tensor`` names it, so that what several layers need (the input of query, key and value)
    is held once. ``need`` says when: ``weight`` if the layer's weight is trained, ``pass`` if
    a gradient must travel through the layer to something trained before it. ``form`` is the
    size of one element: a ``value`` of the activations' precision, a ``bit``, a ``byte``, or
    a 32-bit ``word``. ``recomputable`` marks the s^2 tensors of attention that selective
    recomputation drops (Korthikanti et al. 2022, §5).
    """

    tensor: str
    elements: int
    need: Need
    form: Form = "value"
    recomputable: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """One operation of a network on one sample.

    ``reads`` names the tensors read (a tensor has the name of the layer that wrote it).
    ``inputs`` and ``outputs`` count elements. ``weights`` are matrix, kernel and table entries
    and norm gains; ``biases`` are additive (a norm's shift too). ``macs`` are multiply-
    accumulates. A matrix has ``d_in`` and ``d_out`` (a kernel is the matrix
    k*k*c_in/groups by c_out) and a ``role`` that adapters are addressed by. ``block`` indexes
    :attr:`Network.blocks`; ``unit`` is the place in the count of "last k", -1 for what that
    count leaves out. An ``in_place`` layer writes over what it reads. ``fixed`` parameters
    are constants: stored, never trained.
    """

    name: str
    kind: Kind
    reads: tuple[str, ...]
    inputs: int
    outputs: int
    weights: int = 0
    biases: int = 0
    macs: int = 0
    activation: Activation = "none"
    d_in: int = 0
    d_out: int = 0
    role: str = ""
    block: int = 0
    unit: int = -1
    in_place: bool = False
    fixed: bool = False
    keeps: tuple[Keep, ...] = ()

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.weights + self.biases


Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Network:
    """A network as the accounting sees it: layers in the order of the forward pass.

    ``sample`` counts the input elements of a sample. ``classifier`` names the task's last
    linear layer, empty if there is none (an encoder, a language model's head). ``unit`` says
    what "the last k" counts: weighted layers of a convnet, blocks of a transformer.
    ``targets`` are the roles that LoRA adapts unless told otherwise. The arrays have one entry
    a layer, the ``kept_*`` arrays one entry a :class:`Keep`.
    """

    name: str
    sample: int
    layers: tuple[Layer, ...]
    blocks: tuple[str, ...]
    unit: Literal["layer", "block"]
    targets: tuple[str, ...]
    classifier: str = ""

    @cached_property
    def parameters(self) -> int:
        """Weights and biases of all layers."""
        return sum(layer.parameters for layer in self.layers)

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of one sample's forward pass."""
        return sum(layer.macs for layer in self.layers)

    @cached_property
    def units(self) -> int:
        """How many units "the last k" can count."""
        return 1 + max(layer.unit for layer in self.layers)

    @cached_property
    def roles(self) -> frozenset[str]:
        """Roles of the matrices that an adapter can be put on."""
        return frozenset(layer.role for layer in self.layers if layer.role)

    @cached_property
    def has_biases(self) -> bool:
        """Whether any layer has an additive bias."""
        return any(layer.biases for layer in self.layers)

    def matrices(self, roles: Iterable[str]) -> tuple[tuple[int, int], ...]:
        """(d_in, d_out) of each matrix whose role is among ``roles``, in order."""
        wanted = frozenset(roles)
        return tuple((layer.d_in, layer.d_out) for layer in self.layers if layer.role in wanted)

    @cached_property
    def weights(self) -> Ints:
        """Weights of each layer."""
        return np.array([layer.weights for layer in self.layers], dtype=np.int64)

    @cached_property
    def biases(self) -> Ints:
        """Biases of each layer."""
        return np.array([layer.biases for layer in self.layers], dtype=np.int64)

    @cached_property
    def fixed(self) -> Bools:
        """Whether each layer's parameters are constants."""
        return np.array([layer.fixed for layer in self.layers])

    @cached_property
    def norms(self) -> Bools:
        """Whether each layer is a norm."""
        return np.array([layer.kind == "norm" for layer in self.layers])

    @cached_property
    def profiled(self) -> Bools:
        """Whether each layer is of a kind that TinyTL's published profiler looks at."""
        kinds = ("conv", "dwconv", "linear", "norm", "activation")
        return np.array([layer.kind in kinds for layer in self.layers])

    @cached_property
    def classifies(self) -> Bools:
        """Whether each layer is the task's classifier."""
        return np.array([layer.name == self.classifier for layer in self.layers])

    @cached_property
    def unit_of(self) -> Ints:
        """Unit of each layer in the count of "the last k", -1 for none."""
        return np.array([layer.unit for layer in self.layers], dtype=np.int64)

    @cached_property
    def block_of(self) -> Ints:
        """Index into ``blocks`` of each layer."""
        return np.array([layer.block for layer in self.layers], dtype=np.int64)

    def adapted(self, roles: Iterable[str]) -> Bools:
        """Whether each layer is a matrix whose role is among ``roles``."""
        wanted = frozenset(roles)
        return np.array([layer.role in wanted and layer.role != "" for layer in self.layers])

    @cached_property
    def spans(self) -> Ints:
        """d_in + d_out of each layer's matrix: its LoRA parameters at rank one."""
        return np.array([layer.d_in + layer.d_out for layer in self.layers], dtype=np.int64)

    @cached_property
    def positions(self) -> Ints:
        """At how many output positions of a sample each layer's matrix is applied."""
        return np.array(
            [layer.outputs // layer.d_out if layer.d_out else 0 for layer in self.layers],
            dtype=np.int64,
        )

    @cached_property
    def live(self) -> Ints:
        """Elements alive while each layer runs: what it reads, what it writes, what waits.

        What waits is a tensor that a later layer still reads: the residual of a block, the
        queries while the keys are computed. A layer in place needs no room for its output.
        """
        born, read, size = self.lifetimes[1:]
        change = np.zeros(len(self.layers) + 2, dtype=np.int64)
        np.add.at(change, born, size)
        np.add.at(change, read + 1, -size)
        return np.cumsum(change)[: len(self.layers)]

    @cached_property
    def lifetimes(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Of every tensor, the input first: made by which layer, alive from, last read, elements.

        The input is made by -1. What a layer writes in place is alive from the next layer on.
        """
        place = {"input": 0} | {layer.name: i + 1 for i, layer in enumerate(self.layers)}
        size = [self.sample] + [layer.outputs for layer in self.layers]
        born = [0] + [i + 1 if layer.in_place else i for i, layer in enumerate(self.layers)]
        read = list(born)
        for i, layer in enumerate(self.layers):
            for tensor in layer.reads:
                read[place[tensor]] = i
        made = np.arange(-1, len(self.layers), dtype=np.int64)
        return made, np.array(born), np.array(read), np.array(size, dtype=np.int64)

    @cached_property
    def kept_made(self) -> Ints:
        """Which layer made the tensor of each keep: the layer itself for what only it knows."""
        place = {"input": -1} | {layer.name: i for i, layer in enumerate(self.layers)}
        own = zip(self._keeps, self.kept_layer.tolist(), strict=True)
        return np.array([place.get(keep.tensor, i) for keep, i in own], dtype=np.int64)

    @cached_property
    def kept_values(self) -> Bools:
        """Whether each keep is a tensor itself, at the activations' precision."""
        names = {"input"} | {layer.name for layer in self.layers}
        return np.array([keep.form == "value" and keep.tensor in names for keep in self._keeps])

    @cached_property
    def macs_of(self) -> Ints:
        """Multiply-accumulates of each layer."""
        return np.array([layer.macs for layer in self.layers], dtype=np.int64)

    @cached_property
    def kept_layer(self) -> Ints:
        """Index of the layer of each keep."""
        return np.array([i for i, layer in enumerate(self.layers) for _ in layer.keeps])

    @cached_property
    def kept_elements(self) -> Ints:
        """Elements of each keep, a sample."""
        return np.array([keep.elements for keep in self._keeps], dtype=np.int64)

    @cached_property
    def kept_tensor(self) -> Ints:
        """A number for each keep's tensor, the same for the same tensor."""
        number: dict[str, int] = {}
        return np.array([number.setdefault(keep.tensor, len(number)) for keep in self._keeps])

    @cached_property
    def kept_for_weight(self) -> Bools:
        """Whether each keep serves the gradient of the layer's own weight."""
        return np.array([keep.need == "weight" for keep in self._keeps])

    @cached_property
    def kept_recomputable(self) -> Bools:
        """Whether selective recomputation drops each keep."""
        return np.array([keep.recomputable for keep in self._keeps])

    def kept_bits(self, value_bits: int) -> Ints:
        """Bits of one element of each keep when activations have ``value_bits``."""
        return np.array([value_bits, 1, 8, 32])[self._forms]

    @cached_property
    def _forms(self) -> Ints:
        number = {"value": 0, "bit": 1, "byte": 2, "word": 3}
        return np.array([number[keep.form] for keep in self._keeps], dtype=np.int64)

    @cached_property
    def _keeps(self) -> tuple[Keep, ...]:
        return tuple(keep for layer in self.layers for keep in layer.keeps)


def lora_parameters(matrices: Iterable[tuple[int, int]], rank: int) -> int:
    """Parameters of LoRA adapters: sum of rank * (d_in + d_out) (Hu et al. 2021, §4.1, §5.1)."""
    return sum(rank * (d_in + d_out) for d_in, d_out in matrices)
