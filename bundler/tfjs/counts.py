"""The number of tensors that a node reads or returns, if its attributes lack it or are wrong.

TensorFlow.js counts the inputs of a node, and the rows of the tensor that it splits. It reads neither `N` nor `num`
(`getParamValue` in tfjs-converter/src/operations/executors/utils.ts, slice_join_executor.ts).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set

import numpy as np

from bundler import ops
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, Shape, Tensor, attr, constant, new_node, shape_of
from bundler.ir.protos import TensorShapeProto
from bundler.ir.weight import Weight

__all__ = ["count"]

_HEEDED = {"Concat", "ConcatV2"}
"""Ops whose `N` TensorFlow.js reads."""


def count(nodes: Sequence[Node], weights: Mapping[str, Weight]) -> list[Node]:
    """The nodes with `num` and `num_split` that TensorFlow accepts, and without an `N` that the inputs contradict."""
    counted = {op for op in {made.op for made in nodes} if op in ops.table() and ops.table()[op].counts}
    sound = [_without_wrong_count(made) if made.op in counted else made for made in nodes]
    if not any(_uncounted(made) for made in sound if made.op in counted):
        return sound
    read = [Tensor.parse(reference) for made in sound for reference in made.input]
    last = {tensor.node: max(tensor.port, 0) for tensor in sorted(read)}
    shape = _shapes({made.name: made for made in sound}, weights)
    return [new for made in sound for new in _counted(made, last.get(made.name, 0) + 1, shape)]


def _without_wrong_count(made: Node) -> Node:
    """The node, without a count of inputs that is not the number of its inputs."""
    row = ops.table().get(made.op)
    if row is None or not row.input_counts or made.op in _HEEDED or not row.input_counts <= made.attr.keys():
        return made
    given = sum(not reference.startswith("^") for reference in made.input)
    return made if row.input_count(made) == given else made.having(**dict.fromkeys(row.input_counts))


def _uncounted(made: Node) -> Set[str]:
    row = ops.table().get(made.op)
    return row.output_counts - made.attr.keys() if row is not None and row.output_counts else set()


def _counted(made: Node, read: int, shape: Callable[[str], Shape | None]) -> Iterator[Node]:
    """The node with the counts of its outputs, of which other nodes read the first `read`."""
    lacking = _uncounted(made)
    known = _known_count(made, shape) if lacking else None
    if made.op == "Unpack" and lacking and known is None:
        yield from _rows(made, read)
    else:
        yield made.having(**dict.fromkeys(lacking, read if known is None else known)) if lacking else made


def _known_count(made: Node, shape: Callable[[str], Shape | None]) -> int | None:
    """The number of outputs, if the shape of the input is known."""
    if made.op not in ("Unpack", "SplitV") or len(made.input) < ops.table()[made.op].input_count(made):
        return None
    at, axis = (0, attr(made, "axis", 0)) if made.op == "Unpack" else (1, 0)
    sizes = shape(made.input[at])
    return sizes[axis] if sizes is not None and -len(sizes) <= axis < len(sizes) else None


def _shapes(nodes: Mapping[str, Node], weights: Mapping[str, Weight]) -> Callable[[str], Shape | None]:
    """The shape of a weight or Placeholder behind a reference, past Identities; None if it is unknown."""

    def shape(reference: str) -> Shape | None:
        made = nodes.get(Tensor.parse(reference).node)
        for _ in nodes:
            if made is None or made.op != "Identity" or not made.input:
                break
            made = nodes.get(Tensor.parse(made.input[0]).node)
        if made is None:
            return None
        if made.op == "Const":
            return weights[made.name].shape if made.name in weights else None
        proto = attr(made, "shape") if made.op == "Placeholder" else None
        # A Placeholder without dimensions may be of unknown rank.
        return shape_of(proto) if isinstance(proto, TensorShapeProto) and proto.dim else None

    return shape


def _rows(unpack: Node, read: int) -> Iterator[Node]:
    """An Unpack of an unknown number of rows: the rows that other nodes read, gathered one by one.

    Before:
        y = Unpack(x, axis=1)
    After:
        y/axis = Const()
        y/0 = Const()
        y/row0 = GatherV2(x, y/0, y/axis)
        y = IdentityN(y/row0)
    """
    x, *control = unpack.input
    name, at, kind = unpack.name, Tensor.parse(x).node, unpack.attr.get("T")
    types = {"Tparams": kind, "Tindices": DType.int32, "Taxis": DType.int32}
    yield constant(f"{name}/axis", np.array(attr(unpack, "axis", 0), np.int32), control=[at])
    for row in range(read):
        yield constant(f"{name}/{row}", np.array(row, np.int32), control=[at])
        yield new_node("GatherV2", f"{name}/row{row}", [x, f"{name}/{row}", f"{name}/axis", *control], **types)
    rows = [f"{name}/row{row}" for row in range(read)]
    yield new_node("IdentityN", name, rows, T=None if kind is None else [DType(kind.type)] * read)
