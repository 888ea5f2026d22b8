"""Borders around images, and boxes without them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bundler.drafting import tensors
from bundler.drafting.tensors import Size
from bundler.drafting.value import Value
from bundler.errors import ManifestError
from bundler.ir.dtypes import DType
from bundler.manifest.steps import boxes, image
from bundler.steps import reals
from bundler.steps.checks import check_dtype, check_images, type_of
from bundler.steps.images import resized, transformed
from bundler.steps.reals import Real
from bundler.steps.scope import Scope

__all__ = ["letterbox", "unletterbox"]


class _Ends(NamedTuple):
    """Pixels of the border along one axis."""

    before: Real
    after: Real


def letterbox(scope: Scope, step: image.Letterbox, images: Value) -> tuple[Value, Value]:
    """Images with a border and of another size, and the border's parts of the bordered image."""
    check_images(images)
    check_dtype(images, DType.float32, DType.uint8)
    sides = reals.side(scope, images, 1), reals.side(scope, images, 2)
    ends = [_ends(scope, step, lack) for lack in _lacks(scope, step, *sides)]
    whole = [_bordered(scope, side, border) for side, border in zip(sides, ends)]
    border = _fractions(scope, ends, whole)
    if step.rounding == "none":
        return _sampled(scope, step, images, ends, whole), border
    padded = _padded(scope, step, images, ends)
    return resized(scope, "ResizeBilinear", padded, step.size, step.align_corners, step.half_pixel_centers), border


def _lacks(scope: Scope, step: image.Letterbox, height: Real, width: Real) -> tuple[Real, Real]:
    """The pixels that height and width lack for the ratio of the result; one of them is 0."""
    ratio = step.size[1] / step.size[0]
    tall = reals.subtract(scope, reals.multiply(scope, width, 1 / ratio), height)
    wide = reals.subtract(scope, reals.multiply(scope, height, ratio), width)
    return reals.largest(scope, tall, 0.0), reals.largest(scope, wide, 0.0)


def _ends(scope: Scope, step: image.Letterbox, lack: Real) -> _Ends:
    if step.sides == "both":
        half = reals.multiply(scope, lack, 0.5)
        if step.rounding == "rest":
            after = reals.rounded(scope, half)
            return _Ends(reals.subtract(scope, reals.rounded(scope, lack), after), after)
        each = _rounded(scope, step, half)
        return _Ends(each, each)
    one = _rounded(scope, step, lack)
    return _Ends(0.0, one) if step.sides == "end" else _Ends(one, 0.0)


def _rounded(scope: Scope, step: image.Letterbox, pixels: Real) -> Real:
    if step.rounding == "none":
        return pixels
    return reals.floor(scope, pixels) if step.rounding == "floor" else reals.rounded(scope, pixels)


def _bordered(scope: Scope, side: Real, ends: _Ends) -> Real:
    return reals.add(scope, side, reals.add(scope, ends.before, ends.after))


def _padded(scope: Scope, step: image.Letterbox, images: Value, ends: Sequence[_Ends]) -> Value:
    """The images with their border."""
    whole = [(reals.whole(scope, border.before), reals.whole(scope, border.after)) for border in ends]
    sizes = [0, 0, *whole[0], *whole[1], 0, 0]
    paddings = tensors.reshape(scope, tensors.vector(scope, sizes), (4, 2))
    batch, *sides, channels = images.shape
    shape = (batch, *map(_larger, sides, whole), channels)
    value = scope.constant(np.array(step.value, images.dtype.numpy), "value")
    return scope.op("PadV2", images, paddings, value, shape=shape)


def _larger(side: int | None, more: tuple[Size, Size]) -> int | None:
    """A side with its border, None if it is unknown."""
    before, after = more
    return side + before + after if side is not None and isinstance(before, int) and isinstance(after, int) else None


def _sampled(scope: Scope, step: image.Letterbox, images: Value, ends: Sequence[_Ends], whole: Sequence[Real]) -> Value:
    """The images through the transform that maps the result onto the image and its border."""
    if step.align_corners or step.half_pixel_centers:
        raise ManifestError('rounding = "none" has no align_corners and half_pixel_centers')
    height, width = (reals.divide(scope, side, float(size)) for side, size in zip(whole, step.size))
    above, left = (reals.subtract(scope, 0.0, border.before) for border in ends)
    matrix = [width, 0.0, left, 0.0, height, above, 0.0, 0.0]
    floats = tensors.cast(scope, images, DType.float32)
    return transformed(scope, floats, _row(scope, matrix), step.size, "bilinear", fill_value=step.value)


def _row(scope: Scope, numbers: Sequence[Real]) -> Value:
    """One row of float32 numbers."""
    return tensors.expand(scope, _floats(scope, numbers), 0)


def _fractions(scope: Scope, ends: Sequence[_Ends], whole: Sequence[Real]) -> Value:
    """What is above, left of, below and right of the image, as parts of the whole."""
    pixels = [(end, side) for at in (0, 1) for end, side in ((border[at], size) for border, size in zip(ends, whole))]
    return _floats(scope, [reals.divide(scope, end, side) for end, side in pixels])


def _floats(scope: Scope, numbers: Sequence[Real]) -> Value:
    known = [number for number in numbers if not isinstance(number, Value)]
    if len(known) == len(numbers):
        return scope.constant(np.array(known, np.float32))
    scalars = [
        each if isinstance(each, Value) else scope.constant(np.array(each, scope.real.numpy)) for each in numbers
    ]
    return tensors.cast(scope, scope.op("Pack", *scalars, shape=(len(scalars),), axis=0), DType.float32)


def unletterbox(scope: Scope, _: boxes.Unletterbox, places: Value, border: Value) -> Value:
    """Boxes or points of a bordered image as those of the image itself."""
    check_dtype(places, DType.float32)
    check_dtype(border, DType.float32)
    if border.shape != (4,):
        raise ManifestError("takes a border as letterbox gives it", found=type_of(border), expected="float32[4]")
    starts, ends = (tensors.slice_(scope, border, [first], [first + 2]) for first in (0, 2))
    span = scope.op("Sub", 1.0, scope.op("AddV2", starts, ends))
    if places.rank == 2 and places.shape[1] in (4, None):
        starts, span = (tensors.concat(scope, [each, each], 0) for each in (starts, span))
    elif places.rank == 3 and places.shape[2] in (2, None):
        starts, span = (tensors.reverse(scope, each, 0) for each in (starts, span))
    else:
        expected = "float32[boxes, 4] or float32[boxes, points, 2]"
        raise ManifestError("takes boxes or points", found=type_of(places), expected=expected)
    return scope.op("RealDiv", scope.op("Sub", places, starts), span)
