"""From the ops that TensorFlow.js runs to a graph of TensorFlow's public ops that gives the same numbers everywhere.

A rule gives the nodes that stand for one; a pass applies a rule to every node of a model, or looks at the model as a
whole. The last node that a rule gives keeps the name of the node it replaces, so no edge, control edge or signature
elsewhere changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bundler import ops, soundness
from bundler.errors import ConversionError, Fault
from bundler.ir.model import Model
from bundler.ir.prune import prune
from bundler.manifest import Compat
from bundler.rewrites.changes import changes
from bundler.rewrites.engine import Each, Pass
from bundler.rewrites.invariants import check
from bundler.rewrites.rules.activations import (
    keep_erf_out_of_gelu,
    keep_maximum_out_of_leaky_relu,
    keep_sum_out_of_activation,
    keep_tanh_out_of_conv,
)
from bundler.rewrites.rules.agree import agree_on_dtypes
from bundler.rewrites.rules.batch import batch_image, multiply_batches
from bundler.rewrites.rules.bias import add_bias
from bundler.rewrites.rules.builtins import clip_by_comparing
from bundler.rewrites.rules.channels import put_channels_last
from bundler.rewrites.rules.debug import drop_debug_op
from bundler.rewrites.rules.depthwise import dilate_by_batches, pad_before_depthwise, stride_after_depthwise
from bundler.rewrites.rules.frames import enter_frames
from bundler.rewrites.rules.fused import split_fused
from bundler.rewrites.rules.inference import keep_full_precision, normalize_by_given_statistics
from bundler.rewrites.rules.names import legal_names
from bundler.rewrites.rules.narrow import narrow_int64
from bundler.rewrites.rules.norms import keep_norm_out_of_fusion
from bundler.rewrites.rules.order import keep_shape_of_power, keep_ties_of_extremes
from bundler.rewrites.rules.own import pad_with_value, replace_own_op
from bundler.rewrites.rules.passthrough import copy_fed_outputs
from bundler.rewrites.rules.precision import compute_in_float32
from bundler.rewrites.rules.prelu import expand_prelu
from bundler.rewrites.rules.ragged import ensure_rank_of_indices
from bundler.rewrites.rules.sums import add_moved_biases, copy_addend_of_scores, copy_factor_of_scores, keep_rank_of_sum
from bundler.rewrites.rules.traps import keep_pad_out_of_conv, keep_relu6_out_of_hard_swish
from bundler.soundness import loops

__all__ = ["CLEANING", "PASSES", "run"]

CLEANING: tuple[Pass, ...] = (Each(drop_debug_op),)
"""Passes before ops are refused: what only an assertion or a message needs may be of any op."""

_EVERYWHERE: tuple[Pass, ...] = (
    # Every node in its frame, and of the dtype that it says: later rows copy both to the nodes that they add.
    enter_frames,  # copies dtypes, halves too
    compute_in_float32,  # between halves and floats no casts are needed any more
    agree_on_dtypes,
    # Ops and attributes that TensorFlow lacks, and those that TensorFlow.js does not heed.
    Each(keep_full_precision),
    Each(normalize_by_given_statistics),
    Each(replace_own_op),  # gives convolutions
    Each(pad_with_value),  # a Pad that is left pads with zeros, as keep_pad_out_of_conv expects
    Each(split_fused),  # gives convolutions, products, biases and Prelu
    # Shapes that TensorFlow's ops refuse, or die of.
    Each(batch_image),  # the rows on convolutions expect four dimensions
    Each(multiply_batches),  # the rows on scores look for BatchMatMulV2
    Each(add_bias),  # a BiasAdd that is left has a vector
    Each(expand_prelu),  # after fused ops, which may hold a Prelu
    Each(ensure_rank_of_indices),
    # Convolutions for which TensorFlow has kernels without oneDNN.
    Each(put_channels_last),  # the three below know NHWC only
    Each(pad_before_depthwise),  # the two below know the paddings SAME and VALID only
    Each(stride_after_depthwise),  # leaves a stride of 1, and the dilation to the row below
    Each(dilate_by_batches),
    # Patterns that TensorFlow's optimizers would fuse wrongly: they meet the nodes that all rows above leave.
    Each(keep_pad_out_of_conv),
    Each(keep_relu6_out_of_hard_swish),
    Each(keep_norm_out_of_fusion),
    Each(keep_erf_out_of_gelu),
    Each(keep_maximum_out_of_leaky_relu),
    Each(keep_sum_out_of_activation),
    Each(keep_tanh_out_of_conv),
    add_moved_biases,  # after the rows that look for BiasAdd behind a convolution
    Each(keep_rank_of_sum),
    Each(copy_addend_of_scores),
    Each(copy_factor_of_scores),
    Each(keep_ties_of_extremes),
    Each(keep_shape_of_power),
    copy_fed_outputs,  # adds an Identity, which would hide a node from the patterns
)
PASSES: dict[Compat, tuple[Pass, ...]] = {
    Compat.NONE: (*_EVERYWHERE, legal_names),  # names are final: rows above derive new ones from those of the model
    Compat.TFJS: (*_EVERYWHERE, narrow_int64, legal_names),  # after agree_on_dtypes, which would cast the inputs back
    Compat.TFLITE: (*_EVERYWHERE, Each(clip_by_comparing), legal_names),  # after hard-swish, which gives ClipByValue
}
"""The order of the passes, by the way in which the model will be used. A comment gives the reason for a row's place."""


def run(model: Model, compat: Compat, allow_ops: tuple[str, ...] = ()) -> Model:
    """The portable form of a model. `allow_ops` are ops beyond the table that the user trusts.

    Raises ConversionError for ops that cannot be imported, and for nodes that TensorFlow would refuse to run. An
    AssertionError is a bug of ours; it names the pass that made the graph wrong.
    """
    clean = _after(CLEANING, model)
    _refuse((*ops.faults(clean, allow_ops), *soundness.faults(clean)))
    *passes, naming = PASSES[compat]
    portable = _after(passes, clean)
    _refuse(loops.faults(portable))
    return _after((naming,), replace(portable, changes=changes(model, portable)))


def _after(passes: Iterable[Pass], model: Model) -> Model:
    """The model after these passes, without the nodes that its signatures need no more."""
    current = model
    for rewrite in passes:
        previous, current = current, rewrite(current)
        if current is not previous:
            check(current, after=rewrite.__name__)
    return model if current is model else prune(current)


def _refuse(faults: Iterable[Fault]) -> None:
    found = tuple(faults)
    if found:
        raise ConversionError.of(found)
