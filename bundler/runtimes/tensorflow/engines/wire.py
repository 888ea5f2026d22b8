"""The types of questions and answers: plain data, which both processes can unpickle."""

from __future__ import annotations

import os
from typing import TypeAlias

__all__ = ["STRING", "Port", "Refused", "Spec", "Value", "version"]

STRING = 7
"""TensorFlow's number for strings (tensorflow/core/framework/types.proto)."""

Port: TypeAlias = "tuple[str, int]"
"""A node's name and the number of its output."""

Spec: TypeAlias = "tuple[int, tuple[int | None, ...] | None]"
"""A dtype's number and a shape; None for an unknown dimension, or an unknown rank."""

Value: TypeAlias = "tuple[int, tuple[int, ...], bytes | list[bytes]]"
"""A tensor: its dtype's number, shape, and little-endian bytes; for strings a list of them."""


class Refused(Exception):
    """TensorFlow refused; the text is its own."""


def version(folder: str) -> tuple[object, ...]:
    """A value that changes when a SavedModel is written again in the same folder; `()` if there is none."""
    try:
        state = os.stat(os.path.join(folder, "saved_model.pb"))
    except OSError:
        return ()
    return state.st_ino, state.st_mtime_ns, state.st_size
