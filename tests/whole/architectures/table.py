"""The architectures' names, and how close their bundles must come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

__all__ = ["ANSWERS", "BUNDLES", "TOLERANCES", "Answer"]

ANSWERS = "answers.pickle"
FULL, HALF = 1e-5, 2e-3

TOLERANCES: Mapping[str, float] = {
    "bert": FULL,
    "gpt2": FULL,
    "vit": FULL,
    "t5": FULL,
    "seq2seq": FULL,
    "ssd": FULL,
    "retinanet": FULL,
    "mobilenet": HALF,
}
"""Of the range of each output: its largest value less its smallest."""

BUNDLES: Mapping[str, tuple[str, ...]] = {
    "float32": tuple(name for name, tolerance in TOLERANCES.items() if tolerance == FULL),
    "mixed precision": tuple(name for name, tolerance in TOLERANCES.items() if tolerance == HALF),
}
"""What is built into one bundle."""


class Answer(NamedTuple):
    """What an original gives for these inputs, both by name."""

    feeds: Mapping[str, np.ndarray]
    outputs: Mapping[str, np.ndarray]
