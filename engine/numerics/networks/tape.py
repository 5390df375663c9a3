"""Recording a network's layers from its architecture.

What each layer keeps for the backward pass is decided here, once a kind of layer:

- a convolution, linear layer or batch norm keeps its input iff its weight is trained; a
  bias's gradient needs nothing (Cai et al. 2020, TinyTL, §3.1, eq. 2). A frozen batch norm
  uses its stored statistics and is a fixed linear map;
- a layer norm's or RMS norm's statistics depend on its input: it keeps the input whenever a
  gradient passes, trained or not;
- ReLU and ReLU6 keep one bit an element; h-swish, SiLU and GELU keep their input
  (TinyTL, Table 1);
- attention keeps queries, keys, values, the softmax's output, dropout's one-byte masks and
  what is multiplied with the values (Korthikanti et al. 2022, §4.1), a gate both its factors;
- max pooling keeps a byte an output (where in its window the maximum was), cross-entropy
  its probabilities in 32 bits.
"""

from __future__ import annotations

from math import prod
from typing import Literal, NamedTuple

from engine.numerics.layers import Activation, Keep, Kind, Layer, Network


class Shape(NamedTuple):
    """Shape of a tensor of one sample: positions (pixels, frames or tokens) by channels."""

    positions: tuple[int, ...]
    channels: int

    @property
    def elements(self) -> int:
        """Number of elements."""
        return prod(self.positions) * self.channels


class Tape:
    """Layers recorded in the order they run.

    Every method records one layer that reads named tensors and returns the name of the
    tensor that it writes. ``begin`` opens a block; ``unit`` is set by :meth:`count`.
    """

    def __init__(self, shape: Shape) -> None:
        self.shapes = {"input": shape}
        self.layers: list[Layer] = []
        self.blocks: list[str] = []
        self._unit = -1
        self._counted = False

    def begin(self, block: str) -> None:
        """Open a block; the layers that follow belong to it."""
        self.blocks.append(block)

    def count(self) -> None:
        """Open the next unit of "the last k"; the layers that follow belong to it."""
        self._unit = self._unit + 1
        self._counted = True

    def stop_counting(self) -> None:
        """The layers that follow belong to no unit."""
        self._counted = False

    def network(
        self,
        name: str,
        *,
        unit: Literal["layer", "block"],
        targets: tuple[str, ...],
        classifier: str = "",
    ) -> Network:
        """The network recorded."""
        return Network(
            name=name,
            sample=self.shapes["input"].elements,
            layers=tuple(self.layers),
            blocks=tuple(self.blocks),
            unit=unit,
            targets=targets,
            classifier=classifier,
        )

    def _record(
        self,
        name: str,
        kind: Kind,
        reads: tuple[str, ...],
        shape: Shape,
        *,
        weights: int = 0,
        biases: int = 0,
        macs: int = 0,
        activation: Activation = "none",
        d_in: int = 0,
        d_out: int = 0,
        role: str = "",
        in_place: bool = False,
        fixed: bool = False,
        keeps: tuple[Keep, ...] = (),
    ) -> str:
        full = f"{self.blocks[-1]}.{name}"
        self.shapes[full] = shape
        self.layers.append(
            Layer(
                name=full,
                kind=kind,
                reads=reads,
                inputs=sum(self.shapes[tensor].elements for tensor in reads),
                outputs=shape.elements,
                weights=weights,
                biases=biases,
                macs=macs,
                activation=activation,
                d_in=d_in,
                d_out=d_out,
                role=role,
                block=len(self.blocks) - 1,
                unit=self._unit if self._counted else -1,
                in_place=in_place,
                fixed=fixed,
                keeps=keeps,
            )
        )
        return full

    def _input(self, tensor: str, need: Literal["weight", "pass"]) -> Keep:
        return Keep(tensor, self.shapes[tensor].elements, need)

    def conv(
        self,
        name: str,
        source: str,
        channels: int,
        kernel: tuple[int, ...],
        *,
        stride: int = 1,
        groups: int = 1,
        bias: bool = False,
    ) -> str:
        """Convolution with same padding: output positions are ceil(input positions / stride).

        A convolution is the matrix (k*k*c_in/groups by channels) at every output position;
        its role is ``pointwise``, ``conv`` or, with one group a channel, ``depthwise``.
        """
        shape = self.shapes[source]
        depthwise = groups == shape.channels > 1
        fan_in = prod(kernel) * shape.channels // groups
        out = Shape(tuple(-(-n // stride) for n in shape.positions), channels)
        role = "depthwise" if depthwise else "pointwise" if prod(kernel) == 1 else "conv"
        return self._record(
            name,
            "dwconv" if depthwise else "conv",
            (source,),
            out,
            weights=fan_in * channels,
            biases=channels if bias else 0,
            macs=fan_in * out.elements,
            d_in=fan_in,
            d_out=channels,
            role=role,
            keeps=(self._input(source, "weight"),),
        )

    def linear(
        self, name: str, source: str, channels: int, *, bias: bool = False, role: str = "linear"
    ) -> str:
        """Linear layer at every position."""
        shape = self.shapes[source]
        out = Shape(shape.positions, channels)
        return self._record(
            name,
            "linear",
            (source,),
            out,
            weights=shape.channels * channels,
            biases=channels if bias else 0,
            macs=shape.channels * out.elements,
            d_in=shape.channels,
            d_out=channels,
            role=role,
            keeps=(self._input(source, "weight"),),
        )

    def batch_norm(self, name: str, source: str) -> str:
        """Batch norm, in place: gain and shift a channel (running statistics are not counted)."""
        shape = self.shapes[source]
        return self._record(
            name,
            "norm",
            (source,),
            shape,
            weights=shape.channels,
            biases=shape.channels,
            in_place=True,
            keeps=(self._input(source, "weight"),),
        )

    def layer_norm(self, name: str, source: str, *, bias: bool) -> str:
        """Layer norm, or RMS norm (without bias)."""
        shape = self.shapes[source]
        return self._record(
            name,
            "norm",
            (source,),
            shape,
            weights=shape.channels,
            biases=shape.channels if bias else 0,
            keeps=(self._input(source, "weight"), self._input(source, "pass")),
        )

    def activate(self, name: str, source: str, activation: Activation) -> str:
        """Nonlinearity, in place."""
        shape = self.shapes[source]
        if activation in ("relu", "relu6"):
            keep = Keep(f"{self.blocks[-1]}.{name}.mask", shape.elements, "pass", "bit")
        else:
            keep = self._input(source, "pass")
        return self._record(
            name,
            "activation",
            (source,),
            shape,
            activation=activation,
            in_place=True,
            keeps=(keep,),
        )

    def add(self, name: str, branch: str, residual: str) -> str:
        """Sum of a branch and the residual, in place."""
        return self._record(name, "add", (branch, residual), self.shapes[branch], in_place=True)

    def max_pool(self, name: str, source: str, *, stride: int) -> str:
        """Max pooling with same padding."""
        shape = self.shapes[source]
        out = Shape(tuple(-(-n // stride) for n in shape.positions), shape.channels)
        where = Keep(f"{self.blocks[-1]}.{name}.where", out.elements, "pass", "byte")
        return self._record(name, "pool", (source,), out, keeps=(where,))

    def average_pool(self, name: str, source: str) -> str:
        """Mean over all positions."""
        return self._record(name, "pool", (source,), Shape((1,), self.shapes[source].channels))

    def embedding(self, name: str, source: str, entries: int, channels: int) -> str:
        """Table look-up. Its gradient needs the token numbers alone, which are not counted."""
        out = Shape(self.shapes[source].positions, channels)
        return self._record(name, "embedding", (source,), out, weights=entries * channels)

    def positions(self, name: str, source: str) -> str:
        """Addition of a fixed table of positions, in place."""
        shape = self.shapes[source]
        return self._record(
            name,
            "embedding",
            (source,),
            shape,
            weights=shape.elements,
            in_place=True,
            fixed=True,
        )

    def dropout(self, name: str, source: str, *, recomputable: bool = False) -> str:
        """Dropout: a one-byte mask (Korthikanti et al. 2022, §4)."""
        shape = self.shapes[source]
        mask = Keep(f"{self.blocks[-1]}.{name}.mask", shape.elements, "pass", "byte", recomputable)
        return self._record(
            name, "dropout", (source,), shape, in_place=not recomputable, keeps=(mask,)
        )

    def scores(self, name: str, queries: str, keys: str, heads: int) -> str:
        """Attention scores of every query with every key: heads * s^2 elements."""
        (s,) = self.shapes[queries].positions
        return self._record(
            name,
            "scores",
            (queries, keys),
            Shape((s, s), heads),
            macs=s * self.shapes[queries].elements,
            keeps=(self._input(queries, "pass"), self._input(keys, "pass")),
        )

    def softmax(self, name: str, source: str) -> str:
        """Softmax in place; its backward pass needs its output."""
        shape = self.shapes[source]
        keep = Keep(f"{self.blocks[-1]}.{name}", shape.elements, "pass", recomputable=True)
        return self._record(name, "softmax", (source,), shape, in_place=True, keeps=(keep,))

    def mix(self, name: str, probabilities: str, values: str, channels: int) -> str:
        """Attention over the values; keeps both factors."""
        s = self.shapes[probabilities].positions[0]
        out = Shape((s,), channels)
        keeps = (
            Keep(
                probabilities,
                self.shapes[probabilities].elements,
                "pass",
                recomputable=True,
            ),
            self._input(values, "pass"),
        )
        return self._record(
            name, "mix", (probabilities, values), out, macs=s * out.elements, keeps=keeps
        )

    def gate(self, name: str, gate: str, source: str) -> str:
        """Element-wise product of an activated gate and a source; keeps both factors."""
        return self._record(
            name,
            "gate",
            (gate, source),
            self.shapes[source],
            in_place=True,
            keeps=(self._input(gate, "pass"), self._input(source, "pass")),
        )

    def loss(self, name: str, logits: str) -> str:
        """Cross-entropy at every position (Korthikanti et al. 2022, §4.3: 4sbv bytes)."""
        shape = self.shapes[logits]
        keep = Keep(f"{self.blocks[-1]}.{name}.probabilities", shape.elements, "pass", "word")
        return self._record(name, "loss", (logits,), shape, in_place=True, keeps=(keep,))
