"""How many bytes of weights a model.json announces: known before a shard is fetched."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bundler.ir.dtypes import DType

__all__ = ["weight_bytes"]

_MOST_DIMENSIONS = 254
"""As in TensorFlow (tensor_shape.h). The product of more may take minutes."""
_MOST_ELEMENTS = (1 << 63) - 1


def weight_bytes(group: Mapping[str, Any]) -> int | None:
    """The bytes of a group of `weightsManifest`; None if they depend on the content, or an entry is malformed."""
    try:
        return sum(map(_stored_bytes, group.get("weights") or ()))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _stored_bytes(entry: Mapping[str, Any]) -> int:
    shape = entry.get("shape") or ()
    if len(shape) > _MOST_DIMENSIONS or not all(type(size) is int and 0 <= size <= _MOST_ELEMENTS for size in shape):
        raise ValueError(shape)
    stored = DType[(entry.get("quantization") or entry)["dtype"]]
    return math.prod(shape) * stored.numpy.itemsize
