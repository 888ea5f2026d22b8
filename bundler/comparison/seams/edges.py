"""Pixels on an edge: between two pixels, or at the border of an image, the last bit of a place decides what is taken.

TensorFlow computes places with float32 numbers, and so does TensorFlow.js' WASM backend. The plain backend has doubles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bundler.manifest.steps.image import CropAndResize, Resize, Transform

__all__ = ["moved", "nearer", "other_neighbours"]

_OF_PLACES = 2.0**-21
"""The error of a place that is computed from a box, or by a transform, as a part of the side."""


def moved(
    step: CropAndResize | Transform, given: Sequence[np.ndarray]
) -> Iterator[tuple[CropAndResize | Transform, list[np.ndarray]]]:
    """The step and what it takes, with all places moved by their error, to both sides."""
    images, *more = given
    for part in (-_OF_PLACES, _OF_PLACES):
        if isinstance(step, Transform):
            matrices = more[0] if more else np.array([step.matrix], np.float32)
            far = part * max(images.shape[1:3])
            offsets = np.array([0, 0, far, 0, 0, far, 0, 0], np.float32)
            yield step.model_copy(update={"matrix": None}), [images, matrices + offsets]
        else:
            yield step, [images, more[0] + np.float32(part), *more[1:]]


def nearer(found: np.ndarray, right: np.ndarray, elsewhere: np.ndarray) -> np.ndarray:
    """`right` in place of each value that is no farther from it than twice that of a moved place."""
    return np.asarray(np.where(np.abs(found - right) <= 2 * np.abs(elsewhere - right), right, found))


def other_neighbours(step: Resize, before: Sequence[int], after: Sequence[int]) -> np.ndarray:
    """The pixels of resized images, [1, height, width, 1], whose nearest neighbour is another one with doubles."""
    rows, columns = (
        _neighbours(step, *sides, np.dtype(np.float32)) != _neighbours(step, *sides, np.dtype(np.float64))
        for sides in zip(before[1:3], after[1:3])
    )
    return np.asarray(rows[None, :, None, None] | columns[None, None, :, None])


def _neighbours(step: Resize, before: int, after: int, real: np.dtype[np.floating]) -> np.ndarray:
    """The index of the pixel that each pixel of a side is taken from."""
    aligned = step.align_corners and after > 1
    scale = np.divide(before - aligned, after - aligned, dtype=real)
    at = np.arange(after, dtype=real)
    if step.half_pixel_centers:
        return np.asarray(np.floor((at + at.dtype.type(0.5)) * scale))
    return np.asarray(np.floor(at * scale + at.dtype.type(0.5 if aligned else 0)))
