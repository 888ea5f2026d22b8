"""The FlatBuffer that TFLite's converter makes of a SavedModel, with its builtins alone. Some graphs kill it."""

from __future__ import annotations

import re
from pathlib import Path

from bundler.runtimes.failures import Died, Refused
from tests.support.elsewhere import call

__all__ = ["convert"]


def convert(bundle: Path, flatbuffer: Path) -> str:
    """Write the FlatBuffer of all signatures; the reason in a few words if the converter cannot, else nothing."""
    try:
        call(_convert, str(bundle), str(flatbuffer), environment={})
    except Died as death:
        return str(death)
    except Refused as refusal:
        return _why(str(refusal))
    return ""


def _why(said: str) -> str:
    """The ops that are no builtins, if the converter names them; else its last words."""
    ops = re.findall(r"TF Select ops: (.*)", said)
    return f"no builtins: {ops[0]}" if ops else said.strip().splitlines()[-1]


def _convert(bundle: str, flatbuffer: str) -> None:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(bundle)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    Path(flatbuffer).write_bytes(converter.convert())
