"""Dense, Activation and the layers that change no number."""

from __future__ import annotations

from tests.layers.case import case

CASES = [
    case("Dense", "plain", (4,), units=3),
    case("Dense", "without bias", (4,), units=3, use_bias=False, activation="tanh"),
    case("Dense", "on a matrix", (5, 4), units=3),
    case("Dense", "in a stack", (4,), stack=True, units=3),
]
