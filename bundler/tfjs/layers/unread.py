"""Fields of a configuration that are not options: those that must have one value, and those without a bearing."""

from __future__ import annotations

from collections.abc import Mapping

from bundler.tfjs.layers.description import Value
from bundler.tfjs.layers.options import CELLS, CONVOLUTIONAL, IMAGES_OF_TRAINING, KINDS, RECURRENT

__all__ = ["IGNORED", "IGNORED_ENDINGS", "NEUTRAL"]

NEUTRAL: Mapping[str, Mapping[str, Value]] = {
    "InputLayer": {"sparse": False, "ragged": False},
    "MultiHeadAttention": {"use_gate": False, "sliding_window": None},
    "Conv3DTranspose": {"dilation_rate": (1, 1, 1)},
    "Resizing": {
        "antialias": False,
        "pad_to_aspect_ratio": False,
        "fill_mode": "constant",
        "fill_value": 0.0,
        "data_format": "channels_last",
    },
    "CenterCrop": {"data_format": "channels_last"},
    "CategoryEncoding": {"sparse": False},
    "LayerNormalization": {"rms_scaling": False},
    "BatchNormalization": {"renorm": False, "virtual_batch_size": None},
    **{kind: {"num_constants": 0} for kind in RECURRENT},
    **{kind: {"num_constants": 0, "time_major": False} for kind in CONVOLUTIONAL},
    "Bidirectional": {"num_constants": 0},
}
"""Fields that must have this value: another one asks for something that Keras 2 lacks, or that no bundle can do."""

IGNORED_ENDINGS = ("_initializer", "_regularizer", "_constraint")
"""How the names of fields end that only say how to begin or to go on training: the weights are those of the file."""
IGNORED: Mapping[str, frozenset[str]] = {
    "": frozenset(["trainable", "optional", "seed", "noise_shape", "quantization_config", "implementation"]),
    "MultiHeadAttention": frozenset(["query_shape", "key_shape", "value_shape", "flash_attention"]),
    **IMAGES_OF_TRAINING,
    "BatchNormalization": frozenset(["renorm_clipping", "renorm_momentum", "synchronized", "fused"]),
    "RNN": frozenset({"cells", "filters", "kernel_size"}.union(*(KINDS[kind] for kind in CELLS))),
}
"""Fields without a bearing on what a trained model computes, in all layers and in one. They are not read.

TensorFlow.js writes the fields of a cell into its RNN besides.
"""
