"""Why a difference may show no mistake: the model draws at random, or its own noise is as large.

Both show by calling the bundle again. A model of 200 layers may move its outputs beyond any tolerance when its inputs
move by their last bits: another order of additions does that too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bundler.comparison.distance import distance
from bundler.comparison.inputs import perturbed
from bundler.runtimes.failures import Failure

__all__ = ["doubts"]

_STEP = 1e-6
"""How far inputs are moved, as a part of the largest. Rounding errors of float32 add up to about as much in a layer."""
_TRIES = 2
_TIMES = 10
"""A difference of so many times the noise may be noise."""


def doubts(
    call: Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]],
    feeds: Mapping[str, np.ndarray],
    found: Mapping[str, np.ndarray],
    errors: Mapping[str, float],
) -> dict[str, str]:
    """The reason for each output whose error, above all tolerance, says nothing; by name. `call` runs the bundle."""
    if not errors:
        return {}
    try:
        again = call(feeds)
        random = {name: "draws at random, or keeps a state" for name in errors if _apart(again[name], found[name])}
        noise = dict.fromkeys(errors, 0.0)
        for seed in range(_TRIES):
            moved = call(perturbed(feeds, _STEP, seed=seed + 1))
            noise = {name: max(far, _apart(moved[name], found[name])) for name, far in noise.items()}
    except Failure:
        return {}  # it ran before: whatever that is, it is no reason to excuse the difference
    noisy = {
        name: f"inputs that change by {_STEP:g} of their largest value change it by {noise[name]:.2g}"
        for name, error in errors.items()
        if 0 < error <= _TIMES * noise[name]
    }
    return noisy | random


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    return distance(one, other).relative
