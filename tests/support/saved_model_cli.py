"""TensorFlow's own tool to look into a SavedModel, and to run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["saved_model_cli"]


def saved_model_cli(*arguments: str) -> str:
    """What it prints: the tool lies next to the Python that has TensorFlow."""
    tool = Path(sys.executable).with_name("saved_model_cli")
    return subprocess.run([tool, *arguments], check=True, capture_output=True, text=True).stdout
