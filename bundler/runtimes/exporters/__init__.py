"""Converters of SavedModels to other forms, and the runtimes of these forms, each in a process of its own.

TFLite's converter and LiteRT's interpreter come with TensorFlow; tf2onnx and ONNX Runtime are the extra `onnx`. Some
graphs kill a converter, and one takes twenty times the file in memory: what kills it does not kill bundler.

    with Exporter("tflite") as exporter:
        exporter.convert(folder, ["serve"], ["serving_default"], Path("posenet.tflite"))
        exporter.run(Path("posenet.tflite"), "serving_default", {"input": image})["heatmaps"]
"""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bundler.errors import BundlerError
from bundler.runtimes.child import Child
from bundler.runtimes.failures import Refused
from bundler.runtimes.tensors import packed, unpacked

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Exporter", "Form"]

Form = Literal["tflite", "onnx"]

_START = (
    "import json, sys; sys.path[:], form = json.loads(sys.argv[1]);"
    "from bundler.runtimes.exporters.serve import serve; serve(form)"
)
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
_NAMES: Mapping[Form, str] = {"tflite": "TFLite's converter", "onnx": "tf2onnx"}
_NEEDED: Mapping[Form, Sequence[str]] = {"tflite": (), "onnx": ("tf2onnx", "onnxruntime")}


class Exporter:
    """The converter and the runtime of one form, in a child process.

    Raises BundlerError if a package of the extra `onnx` is missing. Every question raises Refused with the program's
    words, and Died if the process ends before it answers; the next question starts it again.
    """

    def __init__(self, form: Form) -> None:
        _refuse_missing(_NEEDED[form])
        self._child = Child(_NAMES[form], [sys.executable, "-c", _START, json.dumps([sys.path, form])], _QUIET)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._child.close()

    def convert(
        self, folder: Path, tags: Sequence[str], keys: Sequence[str], target: Path, **options: bool | int
    ) -> None:
        """Write the file `target` for these signatures of the SavedModel in a folder.

        The options are `float16` for TFLite (weights of half the size) and `opset` for ONNX.
        """
        self._ask("convert", str(folder.absolute()), list(tags), list(keys), str(target.absolute()), options)

    def run(
        self, file: Path, key: str, feeds: Mapping[str, np.ndarray], seconds: float | None = None
    ) -> dict[str, np.ndarray]:
        """The outputs of a signature of the file, by name. The file stays loaded until another is run."""
        values = {name: packed(value) for name, value in feeds.items()}
        found = self._ask("run", str(file.absolute()), key, values, seconds=seconds)
        return {name: unpacked(value) for name, value in found.items()}

    def _ask(self, verb: str, *args: object, seconds: float | None = None) -> Any:
        refusal, result = pickle.loads(self._child.ask(pickle.dumps((verb, args)), seconds))
        if refusal is not None:
            raise Refused(refusal)
        return result


def _refuse_missing(packages: Sequence[str]) -> None:
    missing = [name for name in packages if not _is_installed(name)]
    if missing:
        hint = "pip install 'tfjs-bundler[onnx]'"
        raise BundlerError("packages of the extra `onnx` are not installed", found=", ".join(missing), hint=hint)


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # a module that was made by hand has no spec
        return False
