"""Convolutional networks, from the architectures that their papers and reference code give."""

from __future__ import annotations

from engine.numerics.layers import Network
from engine.numerics.networks.tape import Shape, Tape

# LoRA adapts every dense matrix; a depthwise kernel has one input channel an output, so that
# a low rank would save nothing.
_TARGETS = ("conv", "pointwise", "linear")


def _conv_norm(
    tape: Tape,
    name: str,
    source: str,
    channels: int,
    kernel: int,
    *,
    stride: int = 1,
    groups: int = 1,
) -> str:
    """Convolution and its batch norm: one unit of "the last k"."""
    tape.count()
    out = tape.conv(name, source, channels, (kernel, kernel), stride=stride, groups=groups)
    return tape.batch_norm(f"{name}.norm", out)


def _inverted_residual(
    tape: Tape, source: str, channels: int, *, expand: int, kernel: int, stride: int
) -> str:
    """Inverted residual with a linear bottleneck (Sandler et al. 2018, Fig. 4, Table 1)."""
    wide = tape.shapes[source].channels * expand
    out = source
    if expand > 1:
        out = _conv_norm(tape, "expand", out, wide, 1)
        out = tape.activate("expand.relu6", out, "relu6")
    out = _conv_norm(tape, "depthwise", out, wide, kernel, stride=stride, groups=wide)
    out = tape.activate("depthwise.relu6", out, "relu6")
    out = _conv_norm(tape, "project", out, channels, 1)
    if stride == 1 and channels == tape.shapes[source].channels:
        out = tape.add("add", out, source)
    return out


def _mobile(
    name: str, rows: list[tuple[int, list[tuple[int, int, int]]]], classes: int, resolution: int
) -> Network:
    """A stem of 32 channels, stages of inverted residuals, 1280 features, a classifier.

    Each row is (channels, [(expand, kernel, stride), ...]).
    """
    tape = Tape(Shape((resolution, resolution), 3))
    tape.begin("stem")
    out = tape.activate("relu6", _conv_norm(tape, "conv", "input", 32, 3, stride=2), "relu6")
    for channels, blocks in rows:
        for number, (expand, kernel, stride) in enumerate(blocks, start=1):
            tape.begin(f"{channels}-{number}")
            out = _inverted_residual(
                tape, out, channels, expand=expand, kernel=kernel, stride=stride
            )
    tape.begin("features")
    out = tape.activate("relu6", _conv_norm(tape, "conv", out, 1280, 1), "relu6")
    return _classified(tape, name, out, classes)


def _classified(tape: Tape, name: str, source: str, classes: int) -> Network:
    tape.begin("head")
    out = tape.average_pool("pool", source)
    tape.count()
    classifier = tape.linear("classifier", out, classes, bias=True)
    return tape.network(name, unit="layer", targets=_TARGETS, classifier=classifier)


def mobilenetv2(classes: int = 1000, resolution: int = 224) -> Network:
    """MobileNetV2 at width 1.0 (Sandler et al. 2018, Table 2)."""
    table = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)]
    table += [(6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    rows = [
        (channels, [(expand, 3, stride if i == 0 else 1) for i in range(repeats)])
        for expand, channels, repeats, stride in table
    ]
    return _mobile("mobilenetv2", rows, classes, resolution)


def proxylessnas_mobile(classes: int = 1000, resolution: int = 224) -> Network:
    """ProxylessNAS-mobile (Cai, Zhu, Han 2019, Fig. 4): blocks as (expand, kernel, stride)."""
    rows = [
        (16, [(1, 3, 1)]),
        (32, [(3, 5, 2), (3, 3, 1)]),
        (40, [(3, 7, 2), (3, 3, 1), (3, 5, 1), (3, 5, 1)]),
        (80, [(6, 7, 2), (3, 5, 1), (3, 5, 1), (3, 5, 1)]),
        (96, [(6, 5, 1), (3, 5, 1), (3, 5, 1), (3, 5, 1)]),
        (192, [(6, 7, 2), (6, 7, 1), (3, 7, 1), (3, 7, 1)]),
        (320, [(6, 7, 1)]),
    ]
    return _mobile("proxylessnas-mobile", rows, classes, resolution)


def resnet_50(classes: int = 1000, resolution: int = 224) -> Network:
    """ResNet-50 (He et al. 2016, Table 1), the stride in the 3x3 convolution."""
    tape = Tape(Shape((resolution, resolution), 3))
    tape.begin("stem")
    out = tape.activate("relu", _conv_norm(tape, "conv", "input", 64, 7, stride=2), "relu")
    out = tape.max_pool("pool", out, stride=2)
    for stage, (width, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
        for number in range(blocks):
            tape.begin(f"{width}-{number + 1}")
            stride = 2 if stage > 0 and number == 0 else 1
            residual = out
            out = tape.activate("relu1", _conv_norm(tape, "reduce", out, width, 1), "relu")
            out = _conv_norm(tape, "conv", out, width, 3, stride=stride)
            out = tape.activate("relu2", out, "relu")
            out = _conv_norm(tape, "restore", out, 4 * width, 1)
            if number == 0:
                residual = _conv_norm(tape, "shortcut", residual, 4 * width, 1, stride=stride)
            out = tape.activate("relu3", tape.add("add", out, residual), "relu")
    return _classified(tape, "resnet-50", out, classes)


def ds_cnn(classes: int = 12) -> Network:
    """Keyword spotting DS-CNN of MLPerf Tiny (Banbury et al. 2021): 49x10 MFCC, 64 channels.

    Batch norms are folded into the convolutions, as on the microcontroller; each has a bias.
    """
    tape = Tape(Shape((49, 10), 1))
    tape.begin("stem")
    tape.count()
    out = tape.conv("conv", "input", 64, (10, 4), stride=2, bias=True)
    out = tape.activate("relu", out, "relu")
    for number in range(1, 5):
        tape.begin(f"64-{number}")
        tape.count()
        out = tape.conv("depthwise", out, 64, (3, 3), groups=64, bias=True)
        out = tape.activate("depthwise.relu", out, "relu")
        tape.count()
        out = tape.conv("pointwise", out, 64, (1, 1), bias=True)
        out = tape.activate("pointwise.relu", out, "relu")
    return _classified(tape, "ds-cnn", out, classes)
