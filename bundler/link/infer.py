"""Dtypes and shapes that signatures leave out, as TensorFlow infers them.

The answers are kept in the cache, by the structure of the graph, the tensors and the installed TensorFlow. A build with
`--no-check` then starts no TensorFlow, which takes 0.45 s of CPU.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from bundler.disk.cache import Cache, default_folder
from bundler.encoding.graphdef import structure
from bundler.errors import ConversionError, SourceError
from bundler.ir.dtypes import DType
from bundler.ir.model import Model, Signature, TensorSpec
from bundler.ir.nodes import Shape, Tensor
from bundler.ir.prune import prune
from bundler.runtimes.failures import meaning
from bundler.runtimes.tensorflow import Runtime, identity

__all__ = ["infer", "shapes"]

Inferred: TypeAlias = "list[tuple[DType, Shape | None]]"

_FILE = "shapes.json"


def infer(model: Model, runtime: Runtime) -> Model:
    """The model with the dtypes and shapes that its signatures leave out. The runtime is asked only for those.

    Raises ConversionError if TensorFlow refuses the graph.
    """
    tensors = _unknown(model)
    if not tensors:
        return model
    with meaning(ConversionError):
        inferred = shapes(_structure_of(tensors, model), [tensor.full for tensor in tensors], runtime)
    known = dict(zip(tensors, inferred))

    def complete(spec: TensorSpec) -> TensorSpec:
        dtype, shape = known.get(spec.tensor, (None, None))
        return replace(spec, dtype=spec.dtype or dtype, shape=shape if spec.shape is None else spec.shape)

    return model.map_signatures(complete)


def _unknown(model: Model) -> list[Tensor]:
    """The tensors of the signatures that lack a dtype or a shape."""
    specs = (spec for signature in model.signatures.values() for spec in signature.specs)
    return sorted({spec.tensor for spec in specs if spec.dtype is None or spec.shape is None})


def _structure_of(tensors: Sequence[Tensor], model: Model) -> bytes:
    """A serialized GraphDef of the nodes that make these tensors: inference takes long over a large graph."""
    asked = Signature({}, {tensor.full: TensorSpec(tensor) for tensor in tensors})
    return structure(prune(replace(model, signatures={"": asked}, initializers=())))


# Kept answers ------------------------------------------------------------------------------------


def shapes(graph_def: bytes, tensors: Sequence[str], runtime: Runtime) -> Inferred:
    """The dtype and shape of tensors of a serialized GraphDef: from the cache, else from `Runtime.shapes`."""

    def ask(folder: Path) -> None:
        inferred = runtime.shapes(graph_def, tensors)
        (folder / _FILE).write_text(json.dumps([(dtype.value, shape) for dtype, shape in inferred]) + "\n")

    try:
        return _parse(Cache(default_folder()).read(f"shapes {_digest(graph_def, tensors)}", _FILE, ask))
    except SourceError:  # the cache's folder cannot be written
        return runtime.shapes(graph_def, tensors)


def _digest(graph_def: bytes, tensors: Sequence[str]) -> str:
    hashed = hashlib.sha256(json.dumps([identity(), *tensors]).encode())
    hashed.update(graph_def)
    return hashed.hexdigest()


def _parse(content: bytes) -> Inferred:
    return [(DType(dtype), None if shape is None else tuple(shape)) for dtype, shape in json.loads(content)]
