"""Shapes of tensors: which of them a tensor can have, and how many elements it has then."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bundler.errors import some

__all__ = ["MOST_DIMENSIONS", "MOST_ELEMENTS", "element_count", "is_possible", "shown"]

MOST_DIMENSIONS = 254
"""TensorFlow's TensorShape::MaxDimensions (tensorflow/core/framework/tensor_shape.h)."""
MOST_ELEMENTS = (1 << 63) - 1
"""What 64 bits count."""
_SHOWN = 16


def element_count(sizes: Sequence[int]) -> int | None:
    """The number of elements of a tensor with these sizes; None if no tensor has them.

    Sizes of a file may be negative, or so many that their product takes minutes.
    """
    if len(sizes) > MOST_DIMENSIONS or min(sizes, default=0) < 0:
        return None
    count = math.prod(sizes)
    return count if count <= MOST_ELEMENTS else None


def is_possible(sizes: Sequence[int]) -> bool:
    """Whether a tensor can have these sizes, of which negative ones are open."""
    return element_count([max(size, 0) for size in sizes]) is not None


def shown(shape: Sequence[int | None]) -> str:
    """A shape as people read it, however many sizes it has: `[?, 28, 28, 1]`."""
    return f"[{some(['?' if size is None else str(size) for size in shape], _SHOWN)}]"
