"""What TFLite's converter makes of a SavedModel with its builtins alone, in a process of its own: it may die.

python tests/tflite.py BUNDLE FLATBUFFER
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

__all__ = ["convert"]


def convert(bundle: Path, flatbuffer: Path) -> str:
    """Write the FlatBuffer of all signatures; what stands in the way, in a few words, or nothing."""
    told = subprocess.run(
        [sys.executable, __file__, str(bundle), str(flatbuffer)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode < 0:
        return f"died: {signal.Signals(-told.returncode).name}"
    return "" if told.returncode == 0 else _why(told.stderr)


def _why(said: str) -> str:
    """The ops that are no builtins, where the converter names them; else its last words."""
    ops = re.findall(r"TF Select ops: (.*)", said)
    return f"no builtins: {ops[0]}" if ops else said.strip().splitlines()[-1]


def _convert(bundle: str, flatbuffer: str) -> None:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(bundle)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    Path(flatbuffer).write_bytes(converter.convert())


if __name__ == "__main__":
    _convert(*sys.argv[1:])
