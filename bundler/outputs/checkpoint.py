"""TensorFlow's checkpoints: the nodes that save and restore one, and its files, written by TensorFlow's own ops.

A checkpoint has a prefix for a name: `variables` for the files `variables.index` and `variables.data-00000-of-00003`.
A weight passes through a file that TensorFlow maps into memory. So this process holds a part of a weight, the runtime
one batch, and no weight is sent from one to the other.

Source: tensorflow/core/ops/io_ops.cc (SaveV2, RestoreV2, MergeV2Checkpoints), array_ops.cc (ImmutableConst).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.disk.scratch import scratch
from bundler.errors import BundlerError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, new_node, shape_proto
from bundler.ir.protos import GraphDef, TensorProto
from bundler.ir.weight import Weight
from bundler.progress import SILENT, Progress, step
from bundler.runtimes.failures import meaning
from bundler.threads import Crew

if TYPE_CHECKING:
    from bundler.runtimes.tensorflow import Runtime

__all__ = ["batches", "prefix", "restore", "save", "text", "write"]

_BATCH = 256 << 20
"""Bytes that are saved or restored at a time, and so of a data file. A larger weight is a batch of its own."""


def prefix(folder: Path) -> Path:
    """The prefix of the checkpoint in a SavedModel's folder, as loaders expect it."""
    return folder / "variables" / "variables"


def batches(weights: Mapping[str, Weight]) -> list[dict[str, Weight]]:
    """The weights, in their order, in parts of at most 256 MiB or one weight."""
    made: list[dict[str, Weight]] = []
    room = 0
    for name, weight in weights.items():
        if not made or weight.nbytes > room:
            made.append({})
            room = _BATCH
        made[-1][name] = weight
        room -= weight.nbytes
    return made


# Nodes -------------------------------------------------------------------------------------------


def save(name: str, prefix: str, weights: Mapping[str, Weight], tensors: Iterable[str]) -> list[Node]:
    """Nodes that save `tensors`, the values of `weights`, under the weights' names; the last is `name`.

    `prefix` is the node that gives the checkpoint's prefix.
    """
    inputs = [prefix, f"{name}.names", f"{name}.slices", *tensors]
    return [*_entries(name, weights), new_node("SaveV2", name, inputs, dtypes=_dtypes(weights))]


def restore(name: str, prefix: str, weights: Mapping[str, Weight]) -> list[Node]:
    """Nodes that read tensors from a checkpoint. The outputs of the last, `name`, are in the order of `weights`."""
    inputs = [prefix, f"{name}.names", f"{name}.slices"]
    return [*_entries(name, weights), new_node("RestoreV2", name, inputs, dtypes=_dtypes(weights))]


def text(name: str, value: str | Path) -> Node:
    """A Const of one string."""
    return _strings(name, [value], ())


def _entries(name: str, weights: Mapping[str, Weight]) -> list[Node]:
    """The names of tensors in a checkpoint, and the part of each: the whole."""
    count = len(weights)
    return [_strings(f"{name}.names", weights, (count,)), _strings(f"{name}.slices", [""] * count, (count,))]


def _strings(name: str, values: Iterable[str | Path], shape: tuple[int, ...]) -> Node:
    tensor = TensorProto(dtype=DType.string.value, tensor_shape=shape_proto(shape), string_val=map(os.fsencode, values))
    return new_node("Const", name, dtype=DType.string, value=tensor)


def _dtypes(weights: Mapping[str, Weight]) -> list[DType]:
    return [weight.dtype for weight in weights.values()]


# Files -------------------------------------------------------------------------------------------


def write(
    weights: Mapping[str, Weight], folder: Path, runtime: Runtime, *, jobs: int = 1, progress: Progress = SILENT
) -> None:
    """Write the checkpoint of the SavedModel in `folder`, the weights under their names there.

    Raises BundlerError if TensorFlow cannot write it.
    """
    parts, destination = batches(weights), prefix(folder)
    destination.parent.mkdir()
    size = sum(weight.nbytes for weight in weights.values())
    with (
        step(progress, "write variables", size),
        meaning(BundlerError),
        scratch(folder, "parts") as beside,
        Crew(jobs) as crew,
    ):
        saved = [beside / str(index) for index in range(len(parts))]
        for part, path in zip(parts, saved):
            _save(part, path, runtime, crew)
            progress.advance(sum(weight.nbytes for weight in part.values()))
        _merge(saved, destination, runtime)


def _save(weights: Mapping[str, Weight], to: Path, runtime: Runtime, crew: Crew) -> None:
    """Write a checkpoint of one data file."""
    with scratch(to.parent, to.name) as folder:
        tensors = [str(index) for index in range(len(weights))]
        mapped = crew.map(_mapped, tensors, weights.values(), (folder / name for name in tensors))
        runtime.execute(_graph(text("to", to), *mapped, *save("save", "to", weights, tensors)), ["save"])


def _mapped(name: str, weight: Weight, file: Path) -> Node:
    """Write a weight into a file; a node whose output is the file's content, mapped into memory."""
    with file.open("wb") as opened:
        opened.writelines(weight.chunks())
    shape = shape_proto(weight.shape)
    return new_node("ImmutableConst", name, dtype=weight.dtype, shape=shape, memory_region_name=os.fsencode(file))


def _merge(parts: Sequence[Path], to: Path, runtime: Runtime) -> None:
    """Make one checkpoint of several: their data files are renamed, not copied."""
    merge = new_node("MergeV2Checkpoints", "merge", ["parts", "to"], delete_old_dirs=False)
    runtime.execute(_graph(_strings("parts", parts, (len(parts),)), text("to", to), merge), ["merge"])


def _graph(*nodes: Node) -> bytes:
    content: bytes = GraphDef(node=[each.message for each in nodes]).SerializeToString(deterministic=True)
    return content
