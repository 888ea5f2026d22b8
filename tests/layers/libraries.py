"""What the libraries lack: layers that they do not have, and options that they do not know.

Keras refuses an option that it does not know. TensorFlow.js takes any, and leaves it out of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias, get_args

__all__ = ["JAVASCRIPT", "KERAS_2", "KERAS_3", "LIBRARIES", "ORIGINS", "REFUSED", "Origin", "lacking"]

Origin: TypeAlias = Literal["javascript", "keras2", "keras3"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)
JAVASCRIPT, KERAS_2, KERAS_3 = ORIGINS
LIBRARIES: Mapping[Origin, str] = {JAVASCRIPT: "TensorFlow.js", KERAS_2: "Keras 2", KERAS_3: "Keras 3"}

REFUSED: Mapping[str, frozenset[str]] = {
    "They run code that comes with the model.": frozenset(
        [
            *("Lambda", "TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"),
            *("FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"),
        ]
    ),
    "They read strings or look words up.": frozenset(
        ["DenseFeatures", "HashedCrossing", "Hashing", "IntegerLookup", "StringLookup", "TextVectorization"]
    ),
    "They change their input at random also when a trained model runs, or have no fixed output.": frozenset(
        ["RandomHeight", "RandomWidth"]
    ),
    "No model with them has been seen.": frozenset(
        [
            *("Discretization", "RandomCrop"),
            *(f"Adaptive{sort}Pooling{rank}D" for sort in ("Average", "Max") for rank in (1, 2, 3)),
            *("AugMix", "AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix", "Equalization"),
            *(
                "GroupedQueryAttention",
                "LocallyConnected1D",
                "LocallyConnected2D",
                "MaxNumBoundingBoxes",
                "MelSpectrogram",
            ),
            *("MixUp", "Pipeline", "RandAugment", "ReversibleEmbedding", "STFTSpectrogram", "Solarization"),
            *(f"Random{name}" for name in ("ColorDegeneration", "ColorJitter", "ElasticTransform", "Erasing")),
            *(f"Random{name}" for name in ("GaussianBlur", "Grayscale", "Hue", "Invert", "Perspective")),
            *(f"Random{name}" for name in ("Posterization", "Saturation", "Sharpness", "Shear")),
            "SpectralNormalization",
        ]
    ),
}
"""Layers that bundler refuses by name, by the reason."""

_OPERATORS = frozenset(["NotEqual", "Operators"])
_KINDS: Mapping[Origin, frozenset[str]] = {
    JAVASCRIPT: frozenset(
        [
            *("ActivityRegularization", "AdditiveAttention", "Attention", "EinsumDense", "MultiHeadAttention"),
            *("Conv1DTranspose", "ConvLSTM1D", "ConvLSTM3D", "DepthwiseConv1D", "SeparableConv1D"),
            *("Cropping1D", "Cropping3D", "UpSampling1D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding3D"),
            *("Discretization", "GlobalAveragePooling3D", "GlobalMaxPooling3D", "Identity", "Subtract"),
            *("GroupNormalization", "Normalization", "RMSNormalization", "UnitNormalization"),
            *("RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip", "RandomRotation"),
            *("RandomTranslation", "RandomZoom", "SpatialDropout2D", "SpatialDropout3D"),
            *_OPERATORS,
        ]
    ),
    KERAS_2: frozenset(["RMSNormalization", *_OPERATORS]),
    KERAS_3: frozenset(["ThresholdedReLU"]),
}
_HAS_NO: Mapping[Origin, str] = {
    JAVASCRIPT: "tf.layers has no",
    KERAS_2: "has no attribute",
    KERAS_3: "has no attribute",
}

_OPTIONS: Mapping[Origin, Mapping[str, frozenset[str]]] = {
    JAVASCRIPT: {
        **{f"Conv{rank}D": frozenset(["groups"]) for rank in (2, 3)},
        "Conv1D": frozenset(["groups", "data_format"]),
        **{f"Conv{rank}DTranspose": frozenset(["output_padding", "dilation_rate"]) for rank in (2, 3)},
        "SeparableConv2D": frozenset(["depth_multiplier"]),
        **{f"{sort}Pooling1D": frozenset(["data_format"]) for sort in ("Max", "Average")},
        **{
            f"Global{sort}Pooling{rank}D": frozenset(["keepdims", *(["data_format"] if rank == 1 else [])])
            for sort in ("Max", "Average")
            for rank in (1, 2)
        },
        "ReLU": frozenset(["negative_slope", "threshold"]),
        **{kind: frozenset(["time_major", "zero_output_for_mask"]) for kind in ("RNN", "SimpleRNN", "GRU", "LSTM")},
        "Bidirectional": frozenset(["backward_layer"]),
    },
    KERAS_2: {"ZeroPadding1D": frozenset(["data_format"])},
    KERAS_3: {kind: frozenset(["time_major"]) for kind in ("RNN", "SimpleRNN", "GRU", "LSTM")},
}
_UNKNOWN: Mapping[Origin, str] = {
    JAVASCRIPT: "does not keep the option",
    KERAS_2: "eyword argument",
    KERAS_3: "nrecognized keyword arguments",
}


def lacking(kind: str, options: Mapping[str, object]) -> Iterator[tuple[Origin, str]]:
    """The libraries that cannot make a layer with these options, and words of their errors."""
    for origin in ORIGINS:
        if kind in _KINDS[origin]:
            yield origin, _HAS_NO[origin]
        elif _OPTIONS[origin].get(kind, frozenset()) & options.keys():
            yield origin, _UNKNOWN[origin]
