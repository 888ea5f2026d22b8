"""TensorFlow's checkpoints: the nodes that save and restore one, and its files, written by TensorFlow's own ops.

A checkpoint has a prefix for a name: `variables` for the files `variables.index` and `variables.data-00000-of-00003`.
A weight passes through a file that TensorFlow maps into memory. So this process holds a part of a weight, the runtime
one batch, and no weight is sent from one to the other.

Source: tensorflow/core/ops/io_ops.cc (SaveV2, RestoreV2, MergeV2Checkpoints), array_ops.cc (ImmutableConst).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
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

__all__ = ["NO_OBJECTS", "OBJECTS", "batches", "prefix", "restore", "save", "text", "write", "write_empty"]

OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"
"""The key of a serialized TrackableObjectGraph: which object's value each tensor is."""
NO_OBJECTS = b"\n\0"
"""A TrackableObjectGraph of the root alone."""
_EMPTY = {
    ".data-00000-of-00001": "02 d8d81073 0a00",
    ".index": "000006 08011a020801 001c0b 5f434845434b504f494e5441424c455f4f424a4543545f4752415048"
    " 080712002807354368c96a 0000000001000000 00faf8c37b 0000000001000000 00c0f2a1b0"
    " 00010260003b0000000001000000 0044f6c149"
    f" 40084d0e {'00' * 36} 57fb808b247547db",
}
"""The files of a checkpoint of `NO_OBJECTS`, in hexadecimal digits, by the ends of their names."""

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


def save(name: str, prefix: str, tensors: Mapping[str, tuple[str, DType]]) -> list[Node]:
    """Nodes that save tensors, given by key as a node's input and its dtype; the last node is `name`.

    `prefix` is the node that gives the checkpoint's prefix.
    """
    references, dtypes = zip(*tensors.values())
    inputs = [prefix, f"{name}.names", f"{name}.slices", *references]
    return [*_entries(name, tensors), new_node("SaveV2", name, inputs, dtypes=dtypes)]


def restore(name: str, prefix: str, weights: Mapping[str, Weight]) -> list[Node]:
    """Nodes that read tensors from a checkpoint. The outputs of the last, `name`, are in the order of `weights`."""
    inputs = [prefix, f"{name}.names", f"{name}.slices"]
    dtypes = [weight.dtype for weight in weights.values()]
    return [*_entries(name, weights), new_node("RestoreV2", name, inputs, dtypes=dtypes)]


def text(name: str, value: str | bytes | Path) -> Node:
    """A Const of one string."""
    return _strings(name, [value], ())


def _entries(name: str, keys: Collection[str]) -> list[Node]:
    """The keys of tensors in a checkpoint, and the part of each: the whole."""
    count = len(keys)
    return [_strings(f"{name}.names", keys, (count,)), _strings(f"{name}.slices", [""] * count, (count,))]


def _strings(name: str, values: Iterable[str | bytes | Path], shape: tuple[int, ...]) -> Node:
    tensor = TensorProto(dtype=DType.string.value, tensor_shape=shape_proto(shape), string_val=map(os.fsencode, values))
    return new_node("Const", name, dtype=DType.string, value=tensor)


# Files -------------------------------------------------------------------------------------------


def write(
    weights: Mapping[str, Weight],
    folder: Path,
    runtime: Runtime,
    *,
    objects: bytes | None = None,
    jobs: int = 1,
    progress: Progress = SILENT,
) -> None:
    """Write the checkpoint of the SavedModel in `folder`: weights by their keys, and a serialized graph of objects.

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
            _save(part, objects if path == saved[0] else None, path, runtime, crew)
            progress.advance(sum(weight.nbytes for weight in part.values()))
        _merge(saved, destination, runtime)


def write_empty(folder: Path) -> None:
    """Write the checkpoint of a SavedModel with an object graph and without variables: it has `NO_OBJECTS` alone.

    Python's loader does not do without one. No other loader reads it, as the MetaGraph has no SaverDef
    (`RestoreSession` in tensorflow/cc/saved_model/loader.cc). The files are always the same, so that no TensorFlow
    starts to write them.
    """
    destination = prefix(folder)
    destination.parent.mkdir()
    for suffix, content in _EMPTY.items():
        destination.with_suffix(suffix).write_bytes(bytes.fromhex(content))


def _save(weights: Mapping[str, Weight], objects: bytes | None, to: Path, runtime: Runtime, crew: Crew) -> None:
    """Write a checkpoint of one data file."""
    with scratch(to.parent, to.name) as folder:
        names = [str(index) for index in range(len(weights))]
        nodes = list(crew.map(_mapped, names, weights.values(), (folder / name for name in names)))
        tensors = {key: (name, weight.dtype) for name, (key, weight) in zip(names, weights.items())}
        if objects is not None:
            nodes.append(text("objects", objects))
            tensors[OBJECTS] = ("objects", DType.string)
        runtime.execute(_graph(text("to", to), *nodes, *save("save", "to", tensors)), ["save"])


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
