"""How many bytes of weights a model.json announces: known before a shard is fetched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bundler.ir.dtypes import DType
from bundler.ir.shapes import element_count

__all__ = ["weight_bytes"]


def weight_bytes(group: Mapping[str, Any]) -> int | None:
    """The bytes of a group of `weightsManifest`; None if they depend on the content, or an entry is malformed."""
    try:
        return sum(map(_stored_bytes, group.get("weights") or ()))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _stored_bytes(entry: Mapping[str, Any]) -> int:
    shape = entry.get("shape") or ()
    elements = element_count(shape) if all(type(size) is int for size in shape) else None
    if elements is None:
        raise ValueError(shape)
    stored = DType[(entry.get("quantization") or entry)["dtype"]]
    return elements * stored.numpy.itemsize
