"""Whether TensorFlow may use GPUs where bundler itself runs it."""

from __future__ import annotations

import os

__all__ = ["enable_cuda", "is_cuda_enabled"]

_VARIABLE = "BUNDLER_CUDA"
"""A setting of the process, and of those it starts: so it is kept where such settings are."""


def enable_cuda() -> None:
    """Let TensorFlow see GPUs in the processes that bundler starts to check what it wrote.

    TensorFlow in the caller's own process sees them anyway: bundler hides nothing there.
    """
    os.environ[_VARIABLE] = "1"


def is_cuda_enabled() -> bool:
    """Whether `enable_cuda` was called in this process, or before it was started."""
    return os.environ.get(_VARIABLE) == "1"
