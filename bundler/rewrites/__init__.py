"""From the ops that TensorFlow.js runs to a portable graph of TensorFlow's public ops.

A rule says what stands for one node; a pass is a rule carried over every node of a model, or looks at the model as a
whole. The last node that a rule gives keeps the name of the node it replaces, so no edge, control edge or signature
elsewhere changes. `PASSES` is the order in which they run.
"""

from __future__ import annotations

from bundler import ops, soundness
from bundler.errors import ConversionError
from bundler.ir.model import Model
from bundler.ir.prune import prune
from bundler.manifest import Compat
from bundler.rewrites.engine import Pass, check, each
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
from bundler.rewrites.rules.sums import add_moved_biases, copy_addend_of_scores, copy_factor_of_scores, keep_rank_of_sum
from bundler.rewrites.rules.traps import keep_pad_out_of_conv, keep_relu6_out_of_hard_swish
from bundler.soundness import loops

__all__ = ["PASSES", "run"]

_ALWAYS: tuple[Pass, ...] = (
    each(drop_debug_op),
    enter_frames,
    compute_in_float32,
    agree_on_dtypes,
    each(keep_full_precision),
    each(normalize_by_given_statistics),
    each(replace_own_op),
    each(pad_with_value),
    each(split_fused),
    each(batch_image),
    each(multiply_batches),
    each(add_bias),
    each(expand_prelu),
    each(put_channels_last),
    each(pad_before_depthwise),
    each(stride_after_depthwise),
    each(dilate_by_batches),
    each(keep_pad_out_of_conv),
    each(keep_relu6_out_of_hard_swish),
    each(keep_norm_out_of_fusion),
    each(keep_erf_out_of_gelu),
    each(keep_maximum_out_of_leaky_relu),
    each(keep_sum_out_of_activation),
    each(keep_tanh_out_of_conv),
    add_moved_biases,
    each(keep_rank_of_sum),
    each(copy_addend_of_scores),
    each(copy_factor_of_scores),
    each(keep_ties_of_extremes),
    each(keep_shape_of_power),
    copy_fed_outputs,
)
PASSES: dict[Compat, tuple[Pass, ...]] = {
    Compat.NONE: (*_ALWAYS, legal_names),
    Compat.TFJS: (*_ALWAYS, narrow_int64, legal_names),
    Compat.TFLITE: (*_ALWAYS, each(clip_by_comparing), legal_names),
}


def run(model: Model, compat: Compat, allow_ops: tuple[str, ...] = ()) -> Model:
    """The portable form of a model, for a way in which it is going to be used.

    Raises ConversionError for ops that cannot be imported; an AssertionError, which names the passes
    that changed something, is a bug of ours.
    """
    first, *others = PASSES[compat]
    quiet = first(model)
    if quiet is not model:
        model = prune(quiet)  # what only an assertion or a message needs is gone before anything is refused
    refused = (*ops.faults(model, allow_ops), *soundness.faults(model))
    if refused:
        raise ConversionError.of(refused)
    changed = []
    for rewrite in others:
        made = rewrite(model)
        changed += [] if made is model else [rewrite.__name__]
        model = made
    check(model, after=", ".join(changed))
    model = prune(model) if changed else model
    astray = tuple(loops.faults(model))
    if astray:
        raise ConversionError.of(astray)
    return model
