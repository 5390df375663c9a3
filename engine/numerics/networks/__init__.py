"""The networks that the accounting knows, by name. Each is built once a size and kept."""

from __future__ import annotations

from functools import lru_cache

from engine.numerics.layers import Network
from engine.numerics.networks import convnets, transformers

_BUILDERS = {
    "mobilenetv2": convnets.mobilenetv2,
    "proxylessnas-mobile": convnets.proxylessnas_mobile,
    "resnet-50": convnets.resnet_50,
    "ds-cnn": convnets.ds_cnn,
    "whisper-tiny-encoder": transformers.whisper_tiny_encoder,
    "llama-3-70b": transformers.llama_3_70b,
}

NAMES: tuple[str, ...] = tuple(_BUILDERS)


@lru_cache(maxsize=32)
def network(name: str, **size: int) -> Network:
    """The network called ``name``, at its standard size unless ``size`` says otherwise.

    Sizes: ``classes`` and ``resolution`` (mobilenetv2, proxylessnas-mobile, resnet-50),
    ``classes`` (ds-cnn), ``frames`` (whisper-tiny-encoder), ``sequence`` in tokens
    (llama-3-70b). Raises ValueError for an unknown name, an unknown size or one below 1.
    """
    if name not in _BUILDERS:
        raise ValueError(f"network: {name!r} is not known; choose one of {', '.join(NAMES)}")
    for key, value in size.items():
        if value < 1:
            raise ValueError(f"{key}: {value} is not allowed; give an integer from 1")
    try:
        return _BUILDERS[name](**size)
    except TypeError as error:
        raise ValueError(f"{name} has no such size: {', '.join(size)}") from error
