"""Steps that take images.

`tests/compose` holds each against TensorFlow.js' function: tfjs-core/src/ops/image, tfjs-backend-cpu/src/kernels.
"""

from __future__ import annotations

import numpy as np

from bundler.drafting import tensors
from bundler.drafting.tensors import Size, vector
from bundler.drafting.value import Value
from bundler.errors import ManifestError
from bundler.ir.dtypes import DType
from bundler.manifest import Compat
from bundler.manifest.steps import image
from bundler.steps import reals
from bundler.steps.checks import check_boxes, check_dtype, check_images, check_rank, type_of
from bundler.steps.scope import Scope

__all__ = [
    "center_crop",
    "crop_and_resize",
    "decode_image",
    "grayscale",
    "pad_to_multiple",
    "resize",
    "resized",
    "transform",
    "transformed",
]


def decode_image(scope: Scope, step: image.DecodeImage, encoded: Value) -> Value:
    """The pixels of one image.

    `INTEGER_ACCURATE` is the method of Skia, which decodes for Chrome; TensorFlow's own default differs in half of the
    values, by up to 17 of 255.
    """
    check_dtype(encoded, DType.string)
    if encoded.shape not in ((), (1,)):
        hint = "put it into { map = [ … ] }" if encoded.rank == 1 else ""
        raise ManifestError("takes one image", found=type_of(encoded), expected="string[]", hint=hint)
    one = encoded if encoded.shape == () else tensors.reshape(scope, encoded, ())
    pixels = scope.op("DecodeJpeg", one, shape=(None, None, 3), channels=3, dct_method="INTEGER_ACCURATE")
    batch = tensors.expand(scope, pixels, 0)
    return batch if step.channels == 3 else tensors.slice_(scope, batch, [0, 0, 0, 0], [None, None, None, 1])


def resize(scope: Scope, step: image.Resize, images: Value, *, like: Value | None = None) -> Value:
    """Images of another size."""
    check_images(images)
    if sum(each is not None for each in (step.size, like, step.longest)) != 1:
        raise ManifestError("needs one of size, like and longest")
    if scope.compat == Compat.TFLITE:
        check_dtype(images, DType.float32)
    op = "ResizeBilinear" if step.op == "resize_bilinear" else "ResizeNearestNeighbor"
    return resized(scope, op, images, _size(scope, step, images, like), step.align_corners, step.half_pixel_centers)


def resized(
    scope: Scope, op: str, images: Value, size: tuple[Size, Size], align_corners: bool, half_pixel_centers: bool
) -> Value:
    """Images of another size, by an op of TensorFlow's."""
    if align_corners and half_pixel_centers:
        raise ManifestError("align_corners and half_pixel_centers exclude each other")
    batch, _, _, channels = images.shape
    shape = (batch, *tensors.static(size), channels)
    given = vector(scope, size, f"{op}/size")
    return scope.op(op, images, given, shape=shape, align_corners=align_corners, half_pixel_centers=half_pixel_centers)


def _size(scope: Scope, step: image.Resize, images: Value, like: Value | None) -> tuple[Size, Size]:
    if step.size is not None:
        return step.size
    if like is not None:
        check_images(like)
        return tensors.size(scope, like, 1), tensors.size(scope, like, 2)
    sides = reals.side(scope, images, 1), reals.side(scope, images, 2)
    ratio = reals.divide(scope, float(step.longest or 1), reals.largest(scope, *sides))
    height, width = (reals.whole(scope, reals.rounded(scope, reals.multiply(scope, side, ratio))) for side in sides)
    return height, width


def center_crop(scope: Scope, _: image.CenterCrop, images: Value) -> Value:
    """The largest square in the middle."""
    check_images(images)
    sides = reals.side(scope, images, 1), reals.side(scope, images, 2)
    square = reals.smallest(scope, *sides)
    halves = (reals.multiply(scope, reals.subtract(scope, side, square), 0.5) for side in sides)
    begin = [reals.whole(scope, reals.floor(scope, half)) for half in halves]
    side = reals.whole(scope, square)
    first, size = (vector(scope, each, f"Slice/{name}") for name, each in _parts(begin, side))
    shape = (images.shape[0], *tensors.static([side, side]), images.shape[3])
    return scope.op("Slice", images, first, size, shape=shape)


def _parts(begin: list[Size], side: Size) -> tuple[tuple[str, list[Size]], ...]:
    return ("begin", [0, *begin, 0]), ("size", [-1, side, side, -1])


def pad_to_multiple(scope: Scope, step: image.PadToMultiple, images: Value) -> Value:
    """Images with a border below and right."""
    check_images(images)
    sides = [reals.side(scope, images, axis) for axis in (1, 2)]
    parts = (reals.divide(scope, reals.add(scope, side, step.multiple - 1.0), float(step.multiple)) for side in sides)
    larger = [reals.multiply(scope, reals.floor(scope, part), float(step.multiple)) for part in parts]
    below, right = (reals.whole(scope, reals.subtract(scope, new, old)) for new, old in zip(larger, sides))
    paddings = tensors.reshape(scope, vector(scope, [0, 0, 0, below, 0, right, 0, 0]), (4, 2))
    shape = (images.shape[0], *tensors.static([reals.whole(scope, side) for side in larger]), images.shape[3])
    value = scope.constant(np.array(step.value, images.dtype.numpy), "value")
    return scope.op("PadV2", images, paddings, value, shape=shape)


def crop_and_resize(
    scope: Scope, step: image.CropAndResize, images: Value, boxes: Value | None = None, numbers: Value | None = None
) -> Value:
    """Parts of images."""
    check_images(images)
    if step.boxes is not None:
        boxes = scope.constant(np.array(step.boxes, np.float32), "CropAndResize/boxes")
    assert boxes is not None
    check_boxes(boxes)
    if numbers is None:
        if images.shape[0] != 1:
            hint = "name a third tensor: int32[boxes], the number of each box's image"
            raise ManifestError("takes boxes of one image", found=type_of(images), expected="a batch of 1", hint=hint)
        numbers = _zeros(scope, tensors.size(scope, boxes, 0))
    check_dtype(numbers, DType.int32)
    check_rank(numbers, 1)
    return scope.op(
        "CropAndResize",
        images,
        boxes,
        numbers,
        scope.constant(list(step.size), "CropAndResize/crop_size"),
        shape=(boxes.shape[0], *step.size, images.shape[3]),
        method=step.method,
        extrapolation_value=step.extrapolation_value,
    )


def _zeros(scope: Scope, count: Size) -> Value:
    """An int32 zero for each box: all are of the first image."""
    if isinstance(count, int):
        return scope.constant([0] * count, "CropAndResize/box_ind")
    return scope.op("Fill", vector(scope, [count]), scope.constant(0), shape=(None,))


def transform(scope: Scope, step: image.Transform, images: Value, matrices: Value | None = None) -> Value:
    """Images through projective transforms."""
    check_images(images)
    if step.matrix is not None:
        if len(step.matrix) != 8:
            raise ManifestError("a transform has 8 numbers", found=f"{len(step.matrix)}")
        matrices = scope.constant([list(step.matrix)], "matrix")
    assert matrices is not None
    check_dtype(matrices, DType.float32)
    if matrices.rank != 2 or matrices.shape[1] not in (None, 8):
        raise ManifestError("takes transforms", found=type_of(matrices), expected="float32[batch, 8]")
    size = step.size or (tensors.size(scope, images, 1), tensors.size(scope, images, 2))
    return transformed(scope, images, matrices, size, step.interpolation, step.fill_mode, step.fill_value)


def transformed(
    scope: Scope,
    images: Value,
    matrices: Value,
    size: tuple[Size, Size],
    interpolation: str,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
) -> Value:
    """Images through projective transforms, by TensorFlow's op."""
    batch, _, _, channels = images.shape
    return scope.op(
        "ImageProjectiveTransformV3",
        images,
        matrices,
        vector(scope, size, "output_shape"),
        scope.constant(float(fill_value), "fill_value"),
        shape=(batch, *tensors.static(size), channels),
        interpolation=interpolation.upper(),
        fill_mode=fill_mode.upper(),
    )


def grayscale(scope: Scope, step: image.Grayscale, images: Value) -> Value:
    """The weighted sum of the channels."""
    check_dtype(images, DType.float32)
    if not images.shape or images.shape[-1] not in (None, len(step.weights)):
        found = f"{len(step.weights)} for {type_of(images)}"
        raise ManifestError("the weights are not as many as the channels", found=found)
    weights = scope.constant([float(weight) for weight in step.weights], "weights")
    weighted = scope.op("Mul", images, weights)
    return tensors.reduce(scope, "Sum", weighted, [-1], keep=True)
