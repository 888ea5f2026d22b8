"""Recurrent layers, their cells, and the layers around them."""

from __future__ import annotations

from tests.layers.case import RECURRENT, case

CASES = [
    case("LSTM", "plain", (5, 3), units=4, tolerance=RECURRENT),
]
