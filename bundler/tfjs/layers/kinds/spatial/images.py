"""Images in another size.

Sources: tfjs-layers/src/layers/convolutional.ts and preprocessing/,
https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers,
`keras/src/layers/preprocessing/image_preprocessing` of Keras 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bundler.drafting.tensors import Size, channels, check_rank, floats, size, slice_, static, times, vector
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.tfjs.layers.graph.scope import Make, Scope
from bundler.tfjs.layers.kinds.spatial.windows import Sizes, channels_back, channels_last

__all__ = ["LAYERS"]

_LONGEST = 1 << 16
"""Pixels along an axis of an image whose places are listed."""
_OPS = {"nearest": "ResizeNearestNeighbor", "bilinear": "ResizeBilinear"}


def _up_sampling(scope: Scope, x: Value, *, size: Sizes, data_format: str, interpolation: str) -> Value:
    """An image so many times as large."""
    check_rank(x, len(size) + 2)
    x = channels_last(scope, floats(scope, x), data_format)
    lengths = [times(scope, length, factor) for length, factor in zip(_lengths(scope, x), size)]
    sampling = _CENTERS if scope.origin.samples_at_centers else _Sampling()
    y = _resized(scope, x, lengths, interpolation, sampling)
    return channels_back(scope, y, data_format)


def _resizing(
    scope: Scope, x: Value, *, height: int, width: int, interpolation: str, crop_to_aspect_ratio: bool
) -> Value:
    """An image of this size. Only the ends of an image are the ends of the other one in TensorFlow.js."""
    x = _images(scope, x)
    if not scope.origin.samples_at_centers:
        return _resized(scope, x, [height, width], interpolation, _Sampling(align_corners=not crop_to_aspect_ratio))
    x = _cropped_to_ratio(scope, x, height, width) if crop_to_aspect_ratio else x
    return _resized(scope, x, [height, width], interpolation, _CENTERS)


def _lengths(scope: Scope, x: Value) -> list[Size]:
    return [size(scope, x, axis) for axis in (1, 2)]


def _images(scope: Scope, x: Value) -> Value:
    check_rank(x, 4)
    return floats(scope, x)


class _Sampling(NamedTuple):
    """Which point of an image a pixel of the other one is: the attributes of the ops."""

    half_pixel_centers: bool = False
    align_corners: bool = False


_CENTERS = _Sampling(half_pixel_centers=True)


def _resized(scope: Scope, x: Value, lengths: Sequence[Size], interpolation: str, sampling: _Sampling) -> Value:
    if interpolation not in _OPS:
        expected = " or ".join(_OPS)
        raise ConversionError("TensorFlow.js does not interpolate this way", found=interpolation, expected=expected)
    return scope.op(
        _OPS[interpolation],
        x,
        vector(scope, lengths, "size"),
        shape=(x.shape[0], *static(lengths), x.shape[3]),
        half_pixel_centers=sampling.half_pixel_centers,
        align_corners=sampling.align_corners,
    )


# Cropping ----------------------------------------------------------------------------------------


def _center_crop(scope: Scope, x: Value, *, height: int, width: int) -> Value:
    """The middle of an image; a smaller image is made larger."""
    x = _images(scope, x)
    found = channels(x, 1), channels(x, 2)
    if scope.origin.samples_at_centers:
        return _keras_center_crop(scope, x, found, (height, width))
    return _javascript_center_crop(scope, x, found, (height, width))


def _keras_center_crop(scope: Scope, x: Value, found: Sizes, target: Sizes) -> Value:
    if found[0] >= target[0] and found[1] >= target[1]:
        return _middle(scope, x, [(have - want) // 2 for have, want in zip(found, target)], target)
    cropped = _cropped_to_ratio(scope, x, *target)
    return _resized(scope, cropped, target, "bilinear", _CENTERS)


def _javascript_center_crop(scope: Scope, x: Value, found: Sizes, target: Sizes) -> Value:
    """The pixels that `cropAndResize` takes for the box which TensorFlow.js gives it.

    https://github.com/tensorflow/tfjs/blob/tfjs-v4.22.0/tfjs-layers/src/layers/preprocessing/center_crop.ts
    """
    begins = [(have - want) // 2 for have, want in zip(found, target)]
    begins[1] = 1 if begins[1] == 0 and found[1] != target[1] else begins[1]
    if max(target) > _LONGEST:
        wide, expected = str(max(target)), f"at most {_LONGEST}"
        raise ConversionError("the layer makes too large an image", found=wide, expected=expected)
    if min(begins) < 0:
        return _resized(scope, x, target, "bilinear", _Sampling())
    for axis, places in enumerate(map(_places, begins, found, target), start=1):
        x = _taken(scope, x, places, axis)
    return x


def _places(begin: int, found: int, target: int) -> list[int]:
    """The pixels along one axis; -1 is beyond the image.

    https://github.com/tensorflow/tfjs/blob/tfjs-v4.22.0/tfjs-backend-cpu/src/kernels/CropAndResize.ts
    """
    first, last = (float(np.float32(end / found)) for end in (begin, begin + target))
    if target == 1:
        at = [0.5 * (first + last) * (found - 1)]
    else:
        step = (last - first) * (found - 1) / (target - 1)
        at = [first * (found - 1) + place * step for place in range(target)]
    return [math.floor(place + 0.5) if 0 <= place <= found - 1 else -1 for place in at]


def _taken(scope: Scope, x: Value, places: list[int], axis: int) -> Value:
    """The pixels at these places of an axis; zeros beyond the image."""
    shape = (*x.shape[:axis], len(places), *x.shape[axis + 1 :])
    at = scope.constant([max(place, 0) for place in places], "GatherV2/places")
    y = scope.op("GatherV2", x, at, scope.constant(axis, "GatherV2/axis"), shape=shape)
    if -1 not in places:
        return y
    inside = np.array([place >= 0 for place in places], np.float32)
    return scope.op("Mul", y, scope.constant(inside.reshape([-1] + [1] * (3 - axis)), "inside"))


def _middle(scope: Scope, x: Value, begins: Sequence[int], target: Sizes) -> Value:
    ends = [begin + length for begin, length in zip(begins, target)]
    return slice_(scope, x, [0, *begins, 0], [None, *ends, None])


def _cropped_to_ratio(scope: Scope, x: Value, height: int, width: int) -> Value:
    """The largest part in the middle that has the ratio of the target.

    `smart_resize` in https://github.com/keras-team/tf-keras/blob/v2.19.0/tf_keras/src/utils/image_utils.py
    """
    found = channels(x, 1), channels(x, 2)
    kept = min(found[0], int(found[1] * height / width)), min(found[1], int(found[0] * width / height))
    begins = [(have - keep) // 2 for have, keep in zip(found, kept)]
    return _middle(scope, x, begins, kept)


LAYERS: Mapping[str, Make] = {"CenterCrop": _center_crop, "Resizing": _resizing, "UpSampling2D": _up_sampling}
