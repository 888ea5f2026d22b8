"""Whether TensorFlow may use GPUs in the processes that bundler starts."""

from __future__ import annotations

import os

__all__ = ["enable_cuda", "is_cuda_enabled"]

_VARIABLE = "BUNDLER_CUDA"
"""An environment variable, because the setting holds for the process and those that it starts."""


def enable_cuda() -> None:
    """Let TensorFlow use GPUs in the processes that bundler starts to check what it wrote.

    TensorFlow in the caller's own process is not affected: it sees the GPUs anyway.
    """
    os.environ[_VARIABLE] = "1"


def is_cuda_enabled() -> bool:
    """Whether `enable_cuda` was called in this process, or in one that started it."""
    return os.environ.get(_VARIABLE) == "1"
