"""ONNX, in the child process: tf2onnx (https://github.com/onnx/tensorflow-onnx) and ONNX Runtime, the extra `onnx`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bundler.runtimes.exporters.serve import Unable
from bundler.runtimes.tensors import Plain, packed, unpacked

__all__ = ["convert", "run"]


def convert(folder: str, tags: list[str], keys: list[str], target: str, options: dict[str, int]) -> None:
    """Write the ONNX file of one signature."""
    (key,) = keys
    command = [sys.executable, "-m", "tf2onnx.convert", "--saved-model", folder, "--tag", ",".join(tags)]
    command += ["--signature_def", key, "--opset", str(options.get("opset", 18)), "--output", target]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode or not Path(target).is_file():
        raise Unable(_why(done.stderr) or f"tf2onnx ended with status {done.returncode}")


def run(file: str, _key: str, feeds: dict[str, Plain]) -> dict[str, Plain]:
    """The outputs of the file, by name."""
    session = _session(file, Path(file).stat().st_mtime_ns)
    names = [output.name for output in session.get_outputs()]
    known = {entry.name for entry in session.get_inputs()}  # an input that no output needs is not in the file
    given = {_named(name, known): _given(unpacked(value)) for name, value in feeds.items()}
    found = session.run(names, {name: value for name, value in given.items() if name in known})
    return {name: packed(np.asarray(value)) for name, value in zip(names, found, strict=True)}


@lru_cache(maxsize=1)
def _session(file: str, _changed: int) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


def _named(name: str, known: Collection[str]) -> str:
    """The name of an input in the file: tf2onnx writes `_` in place of characters that identifiers lack."""
    return name if name in known else re.sub(r"\W", "_", name, flags=re.ASCII)


def _given(value: np.ndarray) -> np.ndarray:
    """The value as ONNX Runtime takes it: strings as str."""
    if value.dtype != object:
        return value
    texts = [text.decode() if isinstance(text, bytes) else text for text in value.flat]
    return np.array(texts, object).reshape(value.shape)


def _why(said: str) -> str:
    """The last line of the log that is an error."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    wrong = [line for line in lines if "ERROR" in line or "Error" in line]
    return (wrong or lines or [""])[-1][:500]
