"""The steps of composed signatures, written into a graph: a function for each op, by the families of `manifest.steps`.

A function takes the step's parameters and tensors, and returns what the step gives. It raises ManifestError, without a
place, if a tensor does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bundler.drafting.value import Value
from bundler.manifest.steps import OpStep
from bundler.steps import boxes, images, letterboxes, numbers, shapes
from bundler.steps.scope import Scope

__all__ = ["WRITERS", "Scope", "write"]

_Writer = Callable[..., "Value | tuple[Value, ...]"]

WRITERS: Mapping[str, _Writer] = {
    "decode_image": images.decode_image,
    "resize_bilinear": images.resize,
    "resize_nearest_neighbor": images.resize,
    "letterbox": letterboxes.letterbox,
    "center_crop": images.center_crop,
    "pad_to_multiple": images.pad_to_multiple,
    "crop_and_resize": images.crop_and_resize,
    "transform": images.transform,
    "grayscale": images.grayscale,
    "non_max_suppression": boxes.non_max_suppression,
    "decode_boxes": boxes.decode_boxes,
    "unletterbox": letterboxes.unletterbox,
    **dict.fromkeys(("add", "sub", "mul", "div", "maximum", "minimum", "greater"), numbers.arithmetic),
    **dict.fromkeys(("exp", "floor", "round", "sqrt", "square", "neg", "abs", "relu", "sigmoid"), numbers.unary),
    "cast": numbers.cast,
    "clip": numbers.clip,
    **dict.fromkeys(("softmax", "log_softmax"), numbers.softmax),
    **dict.fromkeys(("reduce_max", "reduce_min", "reduce_mean", "reduce_sum"), numbers.reduce),
    **dict.fromkeys(("standardize", "l2_normalize"), numbers.normalize),
    "arg_max": numbers.arg_max,
    "top_k": numbers.top_k,
    "labels": numbers.labelled,
    "reshape": shapes.reshape,
    "shape": shapes.shape,
    "transpose": shapes.transpose,
    "squeeze": shapes.squeeze,
    "expand_dims": shapes.expand_dims,
    **dict.fromkeys(("concat", "stack"), shapes.concat),
    "slice": shapes.slice_,
    "take": shapes.take,
    "gather": shapes.gather,
    "pad": shapes.pad,
    "flip": shapes.flip,
    "parse_example": shapes.parse_example,
}
"""The function of each op."""


def write(scope: Scope, step: OpStep, values: Sequence[Value], like: Value | None = None) -> tuple[Value, ...]:
    """Write an op of a step. `like` is the tensor that its parameter of that name names."""
    more: Mapping[str, Any] = {} if like is None else {"like": like}
    made = WRITERS[step.op](scope, step, *values, **more)
    return (made,) if isinstance(made, Value) else made
