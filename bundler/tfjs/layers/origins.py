"""What a layer means to the library that wrote the model.

TensorFlow.js, Keras 2 and Keras 3 share a format and most of its meaning. A model computes here what it computed
there: this table has every difference that the file itself does not spell out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bundler.tfjs.fields import Json

__all__ = ["JAVASCRIPT", "KERAS_2", "KERAS_3", "Origin", "origin_of"]


class Origin(NamedTuple):
    """The differences between the libraries; the defaults are those of Keras 2."""

    name: str
    activations: Mapping[str, str] = {}
    """Names that mean another activation of our table."""
    passes_masks: frozenset[str] = frozenset()
    """Layers whose outputs have the mask of their first input."""
    merges_masks_by: str = "LogicalAnd"
    """The op that joins the masks of a layer like Add."""
    merges_all_masks_only: bool = False
    """A layer like Add has no mask unless all its inputs have one."""
    merges_without_masked: bool = False
    """Multiply, Maximum and Minimum leave out what the mask of an input excludes."""
    concatenates_masks_by: str = "All"
    """The op that joins the masks of Concatenate along its last axis."""
    means_without_masked: bool = True
    """GlobalAveragePooling1D leaves masked steps out."""
    zeroes_excluded: bool = False
    """Softmax gives zero for what its mask excludes, also if that is everything."""
    dilates_depthwise: bool = True
    """DepthwiseConv2D reads its dilation_rate."""
    dilates_transposed: bool = True
    """Conv2DTranspose reads its dilation_rate."""
    samples_at_centers: bool = True
    """Interpolation takes pixels for areas; otherwise for points, as TensorFlow 1 did."""
    epsilon_of_lengths: float = 1e-12
    """The smallest square of a length by which Dot divides."""
    carries_masks: frozenset[str] = frozenset()
    """Layers that get the mask of an earlier call if their input has none."""
    masks_with_states: bool = True
    """A recurrent layer that is called with initial states skips the steps that its input's mask skips."""
    masks_inside: bool = True
    """The output of TimeDistributed has the mask of its layer's output, not that of its input."""
    repeats_state: bool = False
    """The output of a recurrent layer at a step that the mask skips is its first state, not its output before."""
    zeroes_bidirectional: bool = True
    """The outputs of a Bidirectional layer are zeros at steps that the mask skips."""
    zeroes_images: bool = False
    """The layers ConvLSTM read their zero_output_for_mask."""
    stacks_states_backwards: bool = False
    """The states of stacked cells begin with those of the last cell."""
    counts_own: bool = True
    """A model that is a layer of another one counts its own outputs as its first call: in Keras 3 only if it is a
    Functional, and only where the other model names its outputs."""
    names_inner_input: bool = False
    """The input of a Sequential that begins with a model has the name of that model's input, not `<model>_input`."""
    has_operators: bool = False
    """Operators such as `x + 1` stand among the layers."""
    trains_as_called: bool = True
    """A layer that the file calls with `training=true` computes as in training, also if the model does not train."""
    heeds_calls: bool = True
    """The arguments of a call that the file records (mask, training) are passed on."""


_PASSES_MASKS = frozenset(
    [
        *("Activation", "BatchNormalization", "Dense", "Dropout", "LayerNormalization", "PReLU", "ReLU"),
        *("GroupNormalization", "UnitNormalization", "ActivityRegularization", "InputLayer"),
        *("AlphaDropout", "GaussianDropout", "GaussianNoise"),
        *("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"),
    ]
)
"""`supports_masking` of the layers, where `compute_mask` is that of their base."""

KERAS_2 = Origin(
    "Keras 2",
    passes_masks=_PASSES_MASKS | {"ELU", "LeakyReLU", "Softmax", "ThresholdedReLU"},
)
KERAS_3 = Origin(
    "Keras 3",
    # https://github.com/keras-team/keras/blob/v3.5.0/keras/src/backend/tensorflow/nn.py#L70: relu6(x + 3) / 6
    activations={"hard_sigmoid": "keras_3_hard_sigmoid"},
    passes_masks=_PASSES_MASKS | {"ELU", "Identity", "LeakyReLU", "Normalization", "Rescaling", "Softmax"},
    # keras/src/layers/merging/base_merge.py and concatenate.py, `compute_mask`
    merges_masks_by="LogicalOr",
    merges_all_masks_only=True,
    # `_merge_function` in keras/src/layers/merging/multiply.py, `_apply_merge_op_and_or_mask` in base_merge.py
    merges_without_masked=True,
    concatenates_masks_by="Any",
    zeroes_excluded=True,  # `call` in keras/src/layers/activations/softmax.py
    epsilon_of_lengths=1e-14,  # `normalize` in keras/src/ops/nn.py
    # `Layer.__call__` in keras/src/layers/layer.py looks for a `sequences_mask` if there are several tensors
    masks_with_states=False,
    masks_inside=False,
    zeroes_images=True,  # `ConvLSTM` in keras/src/layers/rnn/conv_lstm.py leaves the steps to `RNN`
    counts_own=False,
    has_operators=True,
    # `operation_fn` in keras/src/models/functional.py: `predict` replaces the argument
    trains_as_called=False,
)
JAVASCRIPT = Origin(
    "TensorFlow.js",
    passes_masks=_PASSES_MASKS,
    means_without_masked=False,  # tfjs-layers/src/layers/pooling.ts
    dilates_depthwise=False,  # tfjs-layers/src/layers/convolutional_depthwise.ts, `call`
    dilates_transposed=False,  # tfjs-layers/src/layers/convolutional.ts, `Conv2DTranspose.call`
    samples_at_centers=False,  # tfjs-layers/src/layers/convolutional.ts, `UpSampling2D.call`
    epsilon_of_lengths=1e-7,  # `l2Normalize` in tfjs-layers/src/losses.ts
    carries_masks=frozenset(
        ["Bidirectional", "ConvLSTM2D", "GRU", "LSTM", "RNN", "SimpleRNN", "Softmax", "TimeDistributed"]
    ),
    masks_inside=False,
    repeats_state=True,  # `rnn` in tfjs-layers/src/layers/recurrent.ts
    zeroes_bidirectional=False,  # tfjs-layers/src/layers/wrappers.ts
    stacks_states_backwards=True,  # `StackedRNNCells.stateSize` in tfjs-layers/src/layers/recurrent.ts
    names_inner_input=True,  # `Sequential.add` in tfjs-layers/src/models.ts
    heeds_calls=False,  # `execute` in tfjs-layers/src/engine/executor.ts: only the arguments of `predict`
)

_STARTS = {"3.": KERAS_3, "tfjs-layers": JAVASCRIPT}
"""By how `keras_version` begins."""


def origin_of(topology: Json) -> Origin:
    """The library that wrote a `modelTopology`; Keras 2 if it does not say."""
    version = topology.get("keras_version")
    named = (origin for start, origin in _STARTS.items() if isinstance(version, str) and version.startswith(start))
    return next(named, KERAS_2)
