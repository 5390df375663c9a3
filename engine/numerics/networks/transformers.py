"""Transformers, pre-norm, from the dimensions that their papers and reference code give.

"The last k" counts blocks: embeddings, the final norm and the language model's head belong to
none. A head's width is the model's width over the number of heads.
"""

from __future__ import annotations

from engine.numerics.layers import Network
from engine.numerics.networks.tape import Shape, Tape

_TARGETS = ("q", "k", "v", "o")


def _attention(
    tape: Tape,
    source: str,
    *,
    heads: int,
    kv_width: int,
    bias: bool,
    key_bias: bool,
    dropout: bool,
) -> str:
    width = tape.shapes[source].channels
    q = tape.linear("q", source, width, bias=bias, role="q")
    k = tape.linear("k", source, kv_width, bias=key_bias, role="k")
    v = tape.linear("v", source, kv_width, bias=bias, role="v")
    out = tape.softmax("softmax", tape.scores("scores", q, k, heads))
    if dropout:
        out = tape.dropout("softmax.dropout", out, recomputable=True)
    out = tape.mix("mix", out, v, width)
    return tape.linear("o", out, width, bias=bias, role="o")


def _gelu_block(
    tape: Tape, source: str, *, heads: int, inner: int, key_bias: bool, dropout: bool
) -> str:
    """Multi-head attention and a GELU MLP, layer norms and biases (Korthikanti 2022, Fig. 2)."""
    width = tape.shapes[source].channels
    out = tape.layer_norm("norm1", source, bias=True)
    out = _attention(
        tape, out, heads=heads, kv_width=width, bias=True, key_bias=key_bias, dropout=dropout
    )
    if dropout:
        out = tape.dropout("attention.dropout", out)
    residual = tape.add("add1", out, source)
    out = tape.layer_norm("norm2", residual, bias=True)
    out = tape.activate("gelu", tape.linear("up", out, inner, bias=True, role="up"), "gelu")
    out = tape.linear("down", out, width, bias=True, role="down")
    if dropout:
        out = tape.dropout("mlp.dropout", out)
    return tape.add("add2", out, residual)


def _swiglu_block(tape: Tape, source: str, *, heads: int, kv_width: int, inner: int) -> str:
    """Grouped-query attention and a SwiGLU MLP, RMS norms, no biases (Llama 3, 2024, §3.2)."""
    width = tape.shapes[source].channels
    out = tape.layer_norm("norm1", source, bias=False)
    out = _attention(
        tape, out, heads=heads, kv_width=kv_width, bias=False, key_bias=False, dropout=False
    )
    residual = tape.add("add1", out, source)
    out = tape.layer_norm("norm2", residual, bias=False)
    gate = tape.activate("silu", tape.linear("gate", out, inner, role="gate"), "silu")
    out = tape.gate("product", gate, tape.linear("up", out, inner, role="up"))
    out = tape.linear("down", out, width, role="down")
    return tape.add("add2", out, residual)


def whisper_tiny_encoder(frames: int = 3000) -> Network:
    """Encoder of Whisper tiny (Radford et al. 2022, Table 1): 80 mel channels, 30 s = 3000.

    Keys have no bias; positions are fixed sinusoids, stored and never trained; no dropout.
    Raises ValueError for an odd number of frames.
    """
    if frames < 2 or frames % 2:
        raise ValueError(f"frames: {frames} is not allowed; give an even number from 2")
    tape = Tape(Shape((frames,), 80))
    tape.begin("stem")
    out = tape.activate("gelu1", tape.conv("conv1", "input", 384, (3,), bias=True), "gelu")
    out = tape.conv("conv2", out, 384, (3,), stride=2, bias=True)
    out = tape.positions("positions", tape.activate("gelu2", out, "gelu"))
    for number in range(1, 5):
        tape.begin(f"block-{number}")
        tape.count()
        out = _gelu_block(tape, out, heads=6, inner=1536, key_bias=False, dropout=False)
    tape.stop_counting()
    tape.begin("end")
    tape.layer_norm("norm", out, bias=True)
    return tape.network("whisper-tiny-encoder", unit="block", targets=_TARGETS)


def llama_3_70b(sequence: int = 512) -> Network:
    """Llama 3 70B (Llama team 2024, Table 3): embedding and head are separate tables."""
    width, vocabulary = 8192, 128256
    tape = Tape(Shape((sequence,), 1))
    tape.begin("embedding")
    out = tape.embedding("table", "input", vocabulary, width)
    for number in range(1, 81):
        tape.begin(f"block-{number}")
        tape.count()
        out = _swiglu_block(tape, out, heads=64, kv_width=1024, inner=28672)
    tape.stop_counting()
    tape.begin("head")
    out = tape.layer_norm("norm", out, bias=False)
    tape.loss("loss", tape.linear("head", out, vocabulary, role="head"))
    return tape.network("llama-3-70b", unit="block", targets=_TARGETS)


def gpt(blocks: int, width: int, heads: int, sequence: int) -> Network:
    """The blocks of a GPT: GELU, an MLP of 4 widths, multi-head attention, dropout.

    This is the layer whose activations Korthikanti et al. 2022, eq. 1 give in closed form.
    Raises ValueError if ``heads`` does not divide ``width``.
    """
    if width % heads:
        raise ValueError(f"heads: {heads} does not divide the width {width}")
    tape = Tape(Shape((sequence,), width))
    out = "input"
    for number in range(1, blocks + 1):
        tape.begin(f"block-{number}")
        tape.count()
        out = _gelu_block(tape, out, heads=heads, inner=4 * width, key_bias=True, dropout=True)
    return tape.network("gpt", unit="block", targets=("q", "v"))
