"""A step that computes, an op or a map of ops: what the reference makes of its values, and how far that is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bundler.comparison.judge import verdict_on
from bundler.comparison.references import Answer
from bundler.comparison.seams.edges import moved, nearer, other_neighbours
from bundler.compose.evaluate import Means, Op, results
from bundler.compose.plan import Act
from bundler.manifest.steps import OpStep
from bundler.manifest.steps.image import CropAndResize, Resize, Transform
from bundler.report.verification import OutputVerdict

__all__ = ["Computed"]

_OF_OPS = 1e-5
"""The error that is right in an op: additions in another order. Calls have that of any signature."""
_PER_PIXEL = 2.0**-22
"""The same for each pixel of a side of an image that is sampled. TensorFlow computes places with float32, of whose
numbers two neighbours are 2**-23 of the side apart; TensorFlow.js' plain backend with doubles."""
_SAMPLING = {"resize_bilinear", "letterbox", "crop_and_resize", "transform"}
_ON_AN_EDGE = "pixels on an edge: the last bits of their places decide"


class Computed:
    """What the reference's op gives for the values that the bundle's took. Raises Failure."""

    def __init__(self, act: Act, given: Sequence[np.ndarray], like: np.ndarray | None, op: Op) -> None:
        self._act = act
        self._given = given
        self._like = like
        self._reference = op
        self._side = 0
        self._right = self._results(act, given)

    def verdict(self, at: int, found: np.ndarray) -> OutputVerdict:
        """The verdict on the result at this position."""
        right = self._right[at]
        verdict = self._verdict(at, found, right)
        if verdict.verdict == "wrong" and found.shape == right.shape:
            near = self._verdict(at, self._near(found, right), right)
            return verdict if near.verdict == "wrong" else replace(verdict, verdict="ok", why=_ON_AN_EDGE)
        return verdict

    def _verdict(self, at: int, found: np.ndarray, right: np.ndarray) -> OutputVerdict:
        """How far two values are apart."""
        name = str(at) if at else ""
        rtol = max(_OF_OPS, _PER_PIXEL * self._side) if found.dtype.kind in "fc" else 0.0
        return verdict_on(name, found, Answer({name: right}, "", narrow=True), rtol)

    def _near(self, found: np.ndarray, right: np.ndarray) -> np.ndarray:
        """What was found; but the right value for each pixel whose place is as good as that of another one."""
        step = self._act.step
        if isinstance(step, Resize) and step.op == "resize_nearest_neighbor":
            unlike = other_neighbours(step, self._given[0].shape, right.shape)
            return np.asarray(np.where(unlike, right, found))
        if isinstance(step, (CropAndResize, Transform)):
            for other, places in moved(step, self._given):
                (elsewhere,) = self._results(replace(self._act, step=other), places)
                found = nearer(found, right, elsewhere)
        return found

    def _results(self, act: Act, given: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        return results(act, given, self._like, Means(self._op, _no_call))

    def _op(self, step: OpStep, values: Sequence[np.ndarray], like: np.ndarray | None) -> Sequence[np.ndarray]:
        """The reference's op. The sides of images that are sampled are noted."""
        if step.op in _SAMPLING:
            self._side = max(self._side, *values[0].shape[1:3])
        return self._reference(step, values, like)


def _no_call(key: str, _: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    raise AssertionError(f"a map calls no signature: {key}")
