"""TFLite, in the child process: its converter (tensorflow/lite/python/lite.py) and LiteRT's interpreter."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

from bundler.runtimes.exporters.serve import Unable
from bundler.runtimes.tensors import Plain, packed, unpacked

__all__ = ["convert", "run"]

_NO_BUILTIN = re.compile(r"loc\([^\n]*?\"(?P<op>\w+):\"(?:, \"(?P<node>[^\"]+)\")?[^\n]*op is neither a custom op")
"""A line of the converter: `error: loc(fused["Erf:", "crop/e"]): 'tf.Erf' op is neither a custom op nor a flex op`."""
_SELECTED = re.compile(r"TF Select ops: (?P<ops>.+)")
_MOST_NODES = 5


def convert(folder: str, tags: list[str], keys: list[str], target: str, options: dict[str, bool]) -> None:
    """Write the FlatBuffer of these signatures, of TFLite's builtin ops alone."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=keys, tags=set(tags))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if options.get("float16"):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    try:
        content = converter.convert()
    except Exception as error:  # ConverterError is not public, and the converter raises others too
        raise Unable(_why(str(error))) from error
    Path(target).write_bytes(content)


def run(file: str, key: str, feeds: dict[str, Plain]) -> dict[str, Plain]:
    """The outputs of a signature, by name."""
    runner = _interpreter(file, Path(file).stat().st_mtime_ns).get_signature_runner(key)
    found = runner(**{name: unpacked(value) for name, value in feeds.items()})
    return {name: packed(value) for name, value in found.items()}


@lru_cache(maxsize=1)
def _interpreter(file: str, _changed: int) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it moves to a package of its own, and TensorFlow's wheel has it still
        import tensorflow as tf

        return tf.lite.Interpreter(file)


def _why(said: str) -> str:
    """Which nodes have no builtin op, if the converter names them; else its first line."""
    refused = dict.fromkeys(
        f"{each['op']} ({each['node']})" if each["node"] else each["op"] for each in _NO_BUILTIN.finditer(said)
    )
    if not refused and (selected := _SELECTED.search(said)):
        refused = dict.fromkeys(selected["ops"].split(", "))
    if not refused:
        return " ".join(said.strip().splitlines()[:1])[:500]
    listed = ", ".join(list(refused)[:_MOST_NODES])
    more = len(refused) - _MOST_NODES
    return f"TFLite has no builtin op for {listed}" + (f" and {more} more" if more > 0 else "")


def _node(refused: re.Match[str]) -> str:
    return f"{refused['op']} ({refused['node']})" if refused["node"] else refused["op"]
