"""Shapes that TensorFlow infers, kept in the cache: to load TensorFlow takes longer than many a build.

The key is the structure of a graph, the tensors asked for, and the installed TensorFlow.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from bundler.disk.cache import Cache, default_folder
from bundler.errors import SourceError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Shape
from bundler.runtimes.tensorflow import Runtime, identity

__all__ = ["shapes"]

Inferred: TypeAlias = "list[tuple[DType, Shape | None]]"

_FILE = "shapes.json"


def shapes(graph_def: bytes, tensors: Sequence[str], runtime: Runtime) -> Inferred:
    """The dtype and shape of tensors of a serialized GraphDef, as `Runtime.shapes` gives them.

    The runtime is asked if the cache has no answer.
    """

    def infer(folder: Path) -> None:
        inferred = runtime.shapes(graph_def, tensors)
        (folder / _FILE).write_text(json.dumps([(dtype.value, shape) for dtype, shape in inferred]) + "\n")

    try:
        return _parse(Cache(default_folder()).read(f"shapes {_digest(graph_def, tensors)}", _FILE, infer))
    except SourceError:  # nothing can be kept: a home folder that is read-only, or none
        return runtime.shapes(graph_def, tensors)


def _digest(graph_def: bytes, tensors: Sequence[str]) -> str:
    hashed = hashlib.sha256(json.dumps([identity(), *tensors]).encode())
    hashed.update(graph_def)
    return hashed.hexdigest()


def _parse(content: bytes) -> Inferred:
    return [(DType(dtype), None if shape is None else tuple(shape)) for dtype, shape in json.loads(content)]
