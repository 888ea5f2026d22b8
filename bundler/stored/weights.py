"""All values that a graph holds, by name: constants in the graph, large or small, and variables in the checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from bundler.disk.shards import Group, Memory
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, attr
from bundler.ir.protos import TensorProto
from bundler.ir.prune import functions_called, running
from bundler.ir.shapes import element_count
from bundler.ir.weight import Weight

__all__ = ["in_memory", "weights_of"]

_MOST_ELEMENTS = 1 << 26
"""Elements of a constant whose values are repeated: a few bytes in a file may stand for terabytes."""
_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
"""The end of a variable's name in checkpoints of TensorFlow 2."""

_BITS: Mapping[DType, tuple[str, str]] = {
    DType.float16: ("half_val", "<u2"),
    DType.float32: ("float_val", "<f4"),
    DType.float64: ("double_val", "<f8"),
    DType.int64: ("int64_val", "<i8"),
    DType.bool: ("bool_val", "?"),
    DType.uint32: ("uint32_val", "<u4"),
    DType.uint64: ("uint64_val", "<u8"),
    DType.complex64: ("scomplex_val", "<f4"),
    DType.complex128: ("dcomplex_val", "<f8"),
}
"""The field of a TensorProto with the elements of a dtype, and how they become its bytes. Others are in `int_val`."""


def weights_of(model: Model, checkpoint: Mapping[str, Weight]) -> dict[str, Weight]:
    """The constants and variables that the signatures of a model need.

    A constant has the name of its node, in a function after the function's. A variable has its name in the checkpoint;
    if no node has that, all of the checkpoint count.
    """
    needed = running(model)
    nodes = [node for node in model.graph.nodes if node.name in needed]
    found = dict(_constants("", nodes, model.graph))
    for name, function in functions_called(nodes, model.functions).items():
        found |= _constants(f"{name}/", function.graph.nodes, function.graph)
    named = _shared_names(nodes) & checkpoint.keys()
    variables = named or [name for name in checkpoint if not name.startswith("_CHECKPOINTABLE")]
    return found | {name.removesuffix(_SUFFIX): checkpoint[name] for name in sorted(variables)}


def _shared_names(nodes: list[Node]) -> set[str]:
    return {attr(node, "shared_name", "") or node.name for node in nodes if node.op == "VarHandleOp"}


def _constants(prefix: str, nodes: Iterable[Node], graph: Graph) -> Iterator[tuple[str, Weight]]:
    for node in nodes:
        if node.op == "Const":
            weight = graph.weights.get(node.name)
            if weight is None and "value" in node.attr:
                weight = in_memory(node.attr["value"].tensor)
            if weight is not None:
                yield prefix + node.name, weight


def in_memory(tensor: TensorProto) -> Weight | None:
    """A tensor of a message as a weight; None for one without a known dtype, or without a shape.

    If NumPy lacks the dtype, or a value is repeated very often, its bytes are those of the message.
    """
    dtype = next((known for known in DType if known == tensor.dtype), None)
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    size = element_count(shape)
    if dtype is None or size is None or tensor.tensor_shape.unknown_rank:
        return None
    if size > _MOST_ELEMENTS or not (dtype.is_number or dtype == DType.string):
        content = tensor.SerializeToString(deterministic=True)
    elif dtype == DType.string:
        content = b"".join(map(_spelled, _filled(tensor.string_val, size)))
    else:
        content = bytes(tensor.tensor_content) or _elements(tensor, dtype, size)
    return Weight(dtype, shape, Group((Memory(content),)), 0, len(content), dtype)


def _elements(tensor: TensorProto, dtype: DType, size: int) -> bytes:
    """The bytes of elements that a message lists one by one, the last of which stands for all that follow."""
    name, bits = _BITS.get(dtype, ("int_val", dtype.numpy.str))
    listed = np.array(getattr(tensor, name), np.int64 if bits == "<u2" else bits).astype(bits)
    parts = listed.view(dtype.numpy)[:size] if listed.size else np.zeros(min(size, 1), dtype.numpy)
    missing = np.repeat(parts[-1:], size - parts.size)
    return bytes(np.concatenate([parts, missing]).tobytes())


def _filled(values: Sequence[bytes], size: int) -> list[bytes]:
    return [*values[:size], *[values[-1] if values else b""] * (size - len(values))]


def _spelled(text: bytes) -> bytes:
    """Text as a weight stores it: its length, then its bytes."""
    return len(text).to_bytes(4, "little") + text
