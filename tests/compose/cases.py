"""Cases of steps: what each gives is compared with what TensorFlow.js' function of its name gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["CASES", "Case"]

Array = np.ndarray


@dataclass(frozen=True)
class Case:
    """A step and the values that it takes. `closed` are the numbers of values whose sizes must be known.

    `tolerance` is relative to the largest absolute value of the result, 0 for most steps: the same bits. `like` is the
    value that the step names so.
    """

    name: str
    step: Mapping[str, Any]
    values: tuple[Array, ...]
    tolerance: float = 0.0
    like: Array | None = None
    closed: tuple[int, ...] = ()
    names: tuple[str, ...] = field(default=("y",))


def noise(*shape: int, seed: int = 0) -> Array:
    """Numbers around 0."""
    return np.random.default_rng(seed).normal(0, 2, shape).astype(np.float32)


def pixels(*shape: int, seed: int = 0) -> Array:
    """Numbers from 0 to 255, none of them whole."""
    return np.random.default_rng(seed).uniform(0, 255, shape).astype(np.float32)


def whole(*shape: int, below: int = 9) -> Array:
    return np.random.default_rng(1).integers(0, below, shape).astype(np.int32)


IMAGE = pixels(1, 13, 22, 3)
TALL = pixels(2, 21, 11, 3)
BOXES = np.array([[0, 0, 1, 1], [0.1, 0.2, 0.8, 0.7], [0.9, 0.9, 0.1, 0.1], [-0.5, -0.2, 1.3, 1.1]], np.float32)


INEXACT = {
    **dict.fromkeys(("exp", "sigmoid", "softmax", "log_softmax"), 1e-6),
    **dict.fromkeys(("reduce_mean", "reduce_sum", "grayscale", "standardize", "l2_normalize"), 1e-6),
    **dict.fromkeys(("decode_boxes", "unletterbox"), 1e-6),
    **dict.fromkeys(("resize_bilinear", "letterbox", "crop_and_resize", "transform"), 5e-6),
}
"""Tolerances: other approximations, additions in another order, and places of pixels that are float32 numbers."""


def one(op: str, *values: Array, name: str = "", **more: Any) -> Case:
    """A case of an op; what does not belong to `Case` is a parameter of the step."""
    own = {key: more.pop(key) for key in ("tolerance", "like", "closed", "names") if key in more}
    own.setdefault("tolerance", INEXACT.get(op, 0.0))
    said = name or ", ".join(f"{key}={value}" for key, value in more.items())
    return Case(f"{op} {said}".strip(), {"op": op, **more}, values, **own)


def resizes() -> Iterator[Case]:
    for op in ("resize_bilinear", "resize_nearest_neighbor"):
        for size in ([7, 9], [26, 44], [13, 22], [1, 1]):
            for corners in ({}, {"align_corners": True}, {"half_pixel_centers": True}):
                yield one(op, IMAGE, size=size, **corners)
        yield one(op, IMAGE, name="longest, wide", longest=17)
        yield one(op, TALL, name="longest, tall", longest=8)
        yield one(op, IMAGE, name="like", like=pixels(1, 5, 8, 1))


def letterboxes() -> Iterator[Case]:
    """Differences of 9 and 10 pixels, to squares and to other ratios."""
    for rounding in ("round", "floor", "rest", "none"):
        for sides in ("both", "end", "start"):
            for shape in ((1, 13, 22, 3), (1, 21, 11, 3), (1, 9, 9, 1)):
                said = f"{rounding}, {sides}, {shape[1]} by {shape[2]}"
                more = {"rounding": rounding, "sides": sides, "names": ("y", "border")}
                yield one("letterbox", pixels(*shape), name=said, size=[16, 16], **more)
    for size in ([16, 24], [30, 12]):
        yield one("letterbox", IMAGE, name=f"to {size}", size=size, value=-1)
    yield one("letterbox", TALL, name="half pixels", size=[16, 16], half_pixel_centers=True)


def crops() -> Iterator[Case]:
    for shape in ((1, 13, 22, 3), (2, 21, 11, 3), (1, 8, 8, 1), (1, 9, 6, 3)):
        yield one("center_crop", pixels(*shape), name=f"{shape[1]} by {shape[2]}")
    for shape in ((1, 13, 22, 3), (2, 8, 16, 1), (1, 9, 7, 3)):
        yield one("pad_to_multiple", pixels(*shape), name=f"{shape[1]} by {shape[2]}", multiple=8, value=3)
    for side in (1, 49, 50, 147):
        yield one("pad_to_multiple", pixels(1, side, 2, 1), name=f"{side} to multiples of 49", multiple=49)
    yield one("crop_and_resize", IMAGE, BOXES, size=[4, 5], closed=(0,))
    # Halves of pixels are rounded in another way: docs/OPS.md.
    yield one("crop_and_resize", IMAGE, BOXES * 0.97 + 0.01, name="nearest", size=[4, 5], method="nearest", closed=(0,))
    yield one("crop_and_resize", IMAGE, size=[4, 5], boxes=BOXES[:2].tolist(), closed=(0,), tolerance=1e-5)
    numbers = np.array([0, 1, 1, 0], np.int32)
    yield one("crop_and_resize", TALL, BOXES, numbers, size=[3, 3], extrapolation_value=7)
    yield one("crop_and_resize", IMAGE, BOXES[:0], name="no boxes", size=[3, 3], closed=(0,))


def transforms() -> Iterator[Case]:
    bilinear = {"interpolation": "bilinear"}
    turned = [0.8, -0.6, 1, 0.6, 0.8, 0, 0.01, 0.02]
    moved = [1, 0, 3.3, 0, 1, -2.7, 0, 0]
    for mode in ("constant", "nearest", "reflect", "wrap"):
        yield one("transform", IMAGE, name=f"moved, {mode}", matrix=moved, fill_mode=mode)
    for mode in ("constant", "nearest", "reflect"):  # wrap jumps from edge to edge, where an ulp decides
        yield one("transform", IMAGE, name=f"turned, {mode}", matrix=turned, fill_mode=mode, **bilinear)
    yield one("transform", IMAGE, name="another size", matrix=turned, size=[5, 7], fill_value=9, **bilinear)
    yield one("transform", IMAGE, np.array([turned], np.float32), name="fed", **bilinear)


def numbers() -> Iterator[Case]:
    x, y = noise(3, 4), noise(3, 4, seed=1)
    for op in ("add", "sub", "mul", "div", "maximum", "minimum", "greater"):
        yield one(op, x, by=1.5)
        yield one(op, x, by=[1, 2, 3, 4.5])
        yield one(op, x, y, name="of two")
        yield one(op, x, noise(1, 4, seed=2), name="broadcast")
    # Quotients are those of IEEE 754: 49 / 49 is 1, and 49 * (1 / 49) is less.
    for divisor in (3, 10, 49, 127.5, -0.1):
        multiples = np.arange(-600, 600, dtype=np.float32) * np.float32(divisor)
        yield one("div", multiples, name=f"multiples of {divisor}", by=divisor)
    yield one("div", np.array([-1, 2], np.float32), name="by zero", by=0)
    for op in ("add", "sub", "mul", "maximum", "minimum", "greater"):
        yield one(op, whole(3, 4), name="int32", by=3)
    for op in ("exp", "floor", "round", "square", "neg", "abs", "relu", "sigmoid", "softmax", "log_softmax"):
        yield one(op, x)
    yield one("round", np.array([-1.5, -0.5, 0.5, 1.5, 2.5], np.float32), name="halves")
    yield one("sqrt", np.abs(x))
    for op in ("reduce_max", "reduce_min", "reduce_mean", "reduce_sum"):
        yield one(op, noise(2, 3, 4), name="all")
        yield one(op, noise(2, 3, 4), axis=1, keep_dims=True)
        yield one(op, noise(2, 3, 4), axis=[0, -1])
    for op in ("standardize", "l2_normalize"):
        yield one(op, noise(2, 6), name="all", epsilon=1e-7)
        yield one(op, noise(2, 6), axis=-1)
    yield one("clip", x, min=-1, max=0.5)
    yield one("grayscale", IMAGE, weights=[0.2989, 0.587, 0.114])
    for dtype, value in (
        ("int32", x),
        ("float32", whole(3, 4)),
        ("bool", whole(3, 4, below=2)),
        ("uint8", pixels(3, 4)),
    ):
        yield one("cast", value, dtype=dtype)


def choices() -> Iterator[Case]:
    ties = np.array([[1, 3, 3, 0, 3], [2, 2, 2, 2, 2]], np.float32)
    for value, said in ((noise(3, 5), "noise"), (ties, "ties"), (whole(3, 5), "int32")):
        yield one("top_k", value, name=said, k=3, names=("v", "i"))
        yield one("arg_max", value, name=said)
    yield one("top_k", noise(2, 3), name="labels", k=2, labels=["cat", "dog", "Füchse"], names=("v", "i"))
    yield one("arg_max", noise(2, 3, 4), axis=1)
    yield one("labels", whole(2, 3, below=3), labels=["a", "b", "c"])
    for axis in (0, 1, -1):
        yield one("gather", noise(3, 4, 5), whole(2, 2, below=3), axis=axis)
        yield one("take", noise(3, 4, 5), index=2, axis=axis)
    yield one("take", noise(3, 4), index=-1, axis=1)
    yield one("take", noise(3, 4), index=-2)


def suppressions() -> Iterator[Case]:
    """Boxes whose overlaps are exactly the threshold among them: TensorFlow and TensorFlow.js part there."""
    rng = np.random.default_rng(3)
    corners = rng.uniform(0, 1, (40, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(0.1, 0.4, (40, 2))], 1).astype(np.float32)
    scores = rng.uniform(0, 1, 40).astype(np.float32)
    for pad in (True, False):
        names = ("kept", "count") if pad else ("kept",)
        for more in ({}, {"iou_threshold": 0.1}, {"score_threshold": 0.4}, {"score_threshold": 2}):
            yield one("non_max_suppression", boxes, scores, max_output_size=10, pad=pad, names=names, **more)
    halves = np.array([[0, 0, 1, 1], [0, 0, 1, 0.5], [0, 0, 0.5, 0.5], [0.5, 0, 1, 1]], np.float32)
    falling = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    for threshold in (0.5, 0.25, 1):
        more = {"iou_threshold": threshold, "max_output_size": 4, "names": ("kept", "count")}
        yield one("non_max_suppression", halves, falling, name=f"at {threshold}", **more)


def detections() -> Iterator[Case]:
    layers = {"input_size": 64, "strides": [8, 16], "anchors": [2, 6]}
    rows = noise(1, 8 * 8 * 2 + 4 * 4 * 6, 16) * 10
    yield one("decode_boxes", rows, name="batch of one", closed=(0,), **layers)
    yield one("decode_boxes", rows[0], name="points", points=6, names=("y", "points"), **layers)
    yield one("decode_boxes", rows[0], name="first", first=2, order="yxhw", points=3, names=("y", "points"), **layers)
    sizes = [[[0.1, 0.1], [0.2, 0.14]], [[0.3, 0.3], [0.42, 0.21], [0.21, 0.42]]]
    ssd = {"input_size": 60, "strides": [16, 32], "sizes": sizes, "order": "yxhw", "exponential": True}
    yield one("decode_boxes", noise(4 * 4 * 2 + 2 * 2 * 3, 4), name="ssd", scale=10, size_scale=5, **ssd)
    border = np.array([0.25, 0, 0.25, 0], np.float32)
    yield one("unletterbox", BOXES, border, name="boxes", closed=(1,))
    yield one("unletterbox", noise(4, 5, 2), np.array([0.1, 0.2, 0.05, 0], np.float32), name="points", closed=(1,))


def shapes() -> Iterator[Case]:
    x = noise(2, 3, 4)
    yield one("reshape", x, shape=[-1, 6])
    yield one("reshape", x, shape=[4, 3, 2])
    yield one("shape", x)
    yield one("transpose", x, perm=[2, 0, 1])
    yield one("squeeze", noise(1, 3, 1), axis=[0, 2])
    yield one("expand_dims", x, axis=1)
    yield one("expand_dims", x, axis=-1)
    yield one("slice", x, begin=[0, 1, 2], size=[2, -1, 1])
    yield one("pad", x, paddings=[[0, 1], [2, 0], [0, 0]], value=7)
    yield one("flip", x, axis=[0, -1])
    for axis in (0, 2, -1):
        yield one("concat", x, noise(2, 3, 4, seed=5), x, axis=axis)
        yield one("stack", x, noise(2, 3, 4, seed=5), axis=axis)


FAMILIES = (resizes, letterboxes, crops, transforms, numbers, choices, suppressions, detections, shapes)

CASES: Mapping[str, Case] = {case.name: case for family in FAMILIES for case in family()}
