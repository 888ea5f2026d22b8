"""Convolutions, transposed, separable and depthwise ones."""

from __future__ import annotations

from tests.layers.case import case

CASES = [
    case("Conv2D", "plain", (6, 7, 3), filters=2, kernel_size=3),
]
