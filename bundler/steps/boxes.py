"""Steps that take boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bundler.drafting import tensors
from bundler.drafting.value import Value
from bundler.errors import ManifestError
from bundler.ir.dtypes import DType
from bundler.manifest.steps import boxes
from bundler.steps.checks import check_boxes, check_dtype, check_rank, type_of
from bundler.steps.scope import Scope

__all__ = ["decode_boxes", "non_max_suppression"]

_MOST_ANCHORS = 1 << 20
"""Their centers are a constant of the graph."""


def non_max_suppression(
    scope: Scope, step: boxes.NonMaxSuppression, found: Value, scores: Value
) -> Value | tuple[Value, ...]:
    """The indices of the best boxes, and with `pad` how many of them count.

    TensorFlow.js drops a box whose overlap equals the threshold, TensorFlow one whose overlap is larger.
    https://github.com/tensorflow/tfjs/blob/tfjs-v4.22.0/tfjs-core/src/backends/non_max_suppression_impl.ts
    """
    check_boxes(found)
    check_dtype(scores, DType.float32)
    check_rank(scores, 1, what="float32[boxes]")
    if None not in (found.shape[0], scores.shape[0]) and found.shape[0] != scores.shape[0]:
        both = f"{type_of(found)} and {type_of(scores)}"
        raise ManifestError("the scores are not as many as the boxes", found=both)
    if step.iou_threshold == 0:
        raise ManifestError(
            "iou_threshold = 0 keeps one box in TensorFlow.js, and all that are apart in TensorFlow",
            hint="give a small number: 0.0001",
        )
    below = np.nextafter(np.float32(step.iou_threshold), np.float32(0))
    least = -math.inf if step.score_threshold is None else step.score_threshold
    given = (
        scope.constant(step.max_output_size, "max_output_size"),
        scope.constant(np.array(below, np.float32), "iou_threshold"),
        scope.constant(np.array(least, np.float32), "score_threshold"),
    )
    if not step.pad:
        return scope.op("NonMaxSuppressionV3", found, scores, *given, shape=(None,))
    shapes = [(step.max_output_size,), ()]
    return scope.outputs("NonMaxSuppressionV4", found, scores, *given, shapes=shapes, pad_to_max_output_size=True)


def decode_boxes(scope: Scope, step: boxes.DecodeBoxes, raw: Value) -> Value | tuple[Value, ...]:
    """Boxes from what a detector with anchors gives, and points if there are any.

    As tfjs-models/blazeface/src/face.ts and tfjs-models/shared/calculators/tensors_to_detections.ts do.
    """
    check_dtype(raw, DType.float32)
    centers, sizes = _anchors(step)
    rows = _rows(scope, step, raw, len(centers))
    scale, size_scale = step.scale or float(step.input_size), step.size_scale or step.scale or float(step.input_size)
    center = _placed(scope, _columns(scope, step, rows, 0, 2), scale, centers, sizes)
    half = scope.op("Mul", _sized(scope, step, _columns(scope, step, rows, 2, 4), size_scale, sizes), 0.5)
    corners = [scope.op(op, center, half) for op in ("Sub", "AddV2")]
    made = tensors.concat(scope, [tensors.reverse(scope, corner, 1) for corner in corners], 1)
    if not step.points:
        return made
    columns = tensors.slice_(scope, rows, [0, step.first + 4], [None, step.first + 4 + 2 * step.points])
    points = tensors.reshape(scope, columns, (len(centers), step.points, 2))
    ordered = points if step.order == "xywh" else tensors.reverse(scope, points, 2)
    return made, _placed(scope, ordered, scale, centers[:, None], sizes if sizes is None else sizes[:, None])


def _rows(scope: Scope, step: boxes.DecodeBoxes, raw: Value, count: int) -> Value:
    """What the detector gives, as a row for each anchor."""
    if raw.rank == 3 and raw.shape[0] == 1:
        raw = tensors.squeeze(scope, raw, 0)
    check_rank(raw, 2, what="float32[boxes, 4 or more]")
    if raw.shape[0] not in (None, count):
        found = type_of(raw)
        raise ManifestError("the boxes are not as many as the anchors", found=found, expected=f"{count} boxes")
    least = step.first + 4 + 2 * step.points
    if raw.shape[1] is not None and raw.shape[1] < least:
        raise ManifestError("the rows are too short", found=type_of(raw), expected=f"{least} columns or more")
    return raw


def _columns(scope: Scope, step: boxes.DecodeBoxes, rows: Value, first: int, end: int) -> Value:
    """Two columns, x before y, or width before height."""
    pair = tensors.slice_(scope, rows, [0, step.first + first], [None, step.first + end])
    return pair if step.order == "xywh" else tensors.reverse(scope, pair, 1)


def _placed(scope: Scope, offsets: Value, scale: float, centers: np.ndarray, sizes: np.ndarray | None) -> Value:
    """Places by their offsets from anchors."""
    scaled = scope.divide(offsets, scale)
    moved = scaled if sizes is None else scope.op("Mul", scaled, scope.constant(sizes, "sizes"))
    return scope.op("AddV2", moved, scope.constant(centers, "anchors"))


def _sized(scope: Scope, step: boxes.DecodeBoxes, raw: Value, scale: float, sizes: np.ndarray | None) -> Value:
    """Widths and heights."""
    scaled = scope.divide(raw, scale)
    grown = scope.op("Exp", scaled) if step.exponential else scaled
    return grown if sizes is None else scope.op("Mul", grown, scope.constant(sizes, "sizes"))


def _anchors(step: boxes.DecodeBoxes) -> tuple[np.ndarray, np.ndarray | None]:
    """The center of each anchor, x before y, from 0 to 1; and its width and height, None if all are 1."""
    counts = [len(layer) for layer in step.sizes] if step.sizes else list(step.anchors)
    if len(counts) != len(step.strides):
        raise ManifestError("strides and anchors are of another number of layers", found=f"{len(counts)} layers")
    total = sum(math.ceil(step.input_size / stride) ** 2 * count for stride, count in zip(step.strides, counts))
    if total > _MOST_ANCHORS:
        raise ManifestError("there are too many anchors", found=f"{total:,}", expected=f"at most {_MOST_ANCHORS:,}")
    centers = [_grid(step.input_size, stride, count) for stride, count in zip(step.strides, counts)]
    if not step.sizes:
        return np.concatenate(centers), None
    places = [len(grid) // count for grid, count in zip(centers, counts)]
    return np.concatenate(centers), np.concatenate([_tiled(layer, many) for layer, many in zip(step.sizes, places)])


def _grid(size: int, stride: int, count: int) -> np.ndarray:
    """The centers of a layer's places, row by row, each as often as it has anchors."""
    side = math.ceil(size / stride)
    along = (np.arange(side) + 0.5) / side
    y, x = np.meshgrid(along, along, indexing="ij")
    return np.repeat(np.stack([x.ravel(), y.ravel()], 1), count, 0).astype(np.float32)


def _tiled(sizes: Sequence[tuple[float, float]], places: int) -> np.ndarray:
    return np.tile(np.array(sizes, np.float32), (places, 1))
