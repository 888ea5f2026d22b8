"""Checks of what TensorFlow examines only when a graph runs: functions and their calls, sizes, constants.

TensorFlow imports a graph without examining its functions, its lists of sizes and the values of its constants. A model
with a fault there loads, and fails or kills the process at its first call. The checks run after pruning: nodes that no
output needs are not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bundler import ops
from bundler.errors import Fault
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node, Tensor, attr
from bundler.ir.protos import TensorProto
from bundler.ir.shapes import element_count, is_possible, shown
from bundler.ir.tables import FILLS, TABLES, shared_names
from bundler.soundness.calling import call_faults, function_faults, name_faults, recursion_faults

__all__ = ["faults"]

_INT32 = 1 << 31
_MOST_TENSORS = 1 << 16


def faults(model: Model) -> Iterator[Fault]:
    """The nodes that TensorFlow would refuse when the model is loaded or first run."""
    yield from _graph_faults(model.graph, model.functions)
    for name, function in model.functions.items():
        inner = (*function_faults(name, function), *_graph_faults(function.graph, model.functions))
        yield from (fault.inside(f"function {name!r}") for fault in inner)
    yield from recursion_faults(model)
    yield from _table_faults(model)


def _table_faults(model: Model) -> Iterator[Fault]:
    """Tables that neither an initializer nor the graph fills: TensorFlow refuses every look-up in them."""
    fills = [graph.source(_first(node)) for graph in model.graphs for node in graph.of(FILLS)]
    tables = {node.name: node for graph in model.graphs for node in graph.of(TABLES)}
    if not tables.keys() >= {*fills}:
        return  # a table that is an argument of a function may be any of them
    filled = {*shared_names(tables[name] for name in fills)}
    for name, table in tables.items():
        if filled.isdisjoint(shared_names([table])):
            yield Fault("no node fills this table", f"node {name!r}")


def _first(node: Node) -> str:
    return Tensor.parse(node.input[0]).node if node.input else ""


def _graph_faults(graph: Graph, functions: Mapping[str, Function]) -> Iterator[Fault]:
    sound: dict[tuple[str, int], list[Fault]] = {}  # by op and identity of attributes: nodes share them
    for node in graph.nodes:
        kind = (node.op, id(node.attr))
        found = sound.get(kind)
        if found is None:
            found = sound[kind] = list(_attr_faults(node, functions))
        own = found + _own_faults(node)
        if _is_inline(node, graph):
            own += _constant_faults(node)
        if own:
            yield from [fault.inside(f"node {node.name!r}") for fault in own]


def _attr_faults(node: Node, functions: Mapping[str, Function]) -> Iterator[Fault]:
    yield from _count_faults(node)
    yield from _size_faults(node)
    yield from _shape_faults(node)
    yield from _rank_faults(node)
    for key in sorted(node.attr):
        yield from name_faults(key, node.attr[key], functions)
    yield from call_faults(node, functions)


def _own_faults(node: Node) -> list[Fault]:
    """TensorFlow reads control inputs at the end only, and its Python API removes a slash from the end of a name."""
    found = []
    if not node.name or node.name.endswith("/"):
        found.append(Fault("TensorFlow does not load a node of this name"))
    controls = [reference[:1] == "^" for reference in node.input]
    if True in controls and controls != sorted(controls):
        found.append(Fault("a control input stands before a data input", found=", ".join(node.input)[:60]))
    return found


def _count_faults(node: Node) -> Iterator[Fault]:
    """Attributes that count tensors: TensorFlow allocates memory for each."""
    for key in sorted(ops.table()[node.op].counts & node.attr.keys()) if node.op in ops.table() else ():
        if not 0 <= attr(node, key) <= _MOST_TENSORS:
            yield Fault(
                f"attribute {key!r} counts too many tensors", "", str(attr(node, key)), f"at most {_MOST_TENSORS}"
            )


# Sizes -------------------------------------------------------------------------------------------

_RANKS = {"AvgPool3D": 5, "Conv3D": 5, "MaxPool3D": 5}
"""Dimensions of the images of ops that have sizes by dimension, if not 4."""
_BY_DIMENSION = ("dilations", "ksize", "rates", "strides")


def _size_faults(node: Node) -> Iterator[Fault]:
    """Lists without an entry, or for paddings two, for each dimension of an image."""
    row, rank = ops.table().get(node.op), _RANKS.get(node.op, 4)
    listed = [key for key in _BY_DIMENSION if row is not None and key in row.attrs]
    for key in listed:
        if key in node.attr:
            yield from _list_faults(key, attr(node, key), rank, least=1)
    paddings, padding = attr(node, "explicit_paddings", ()), attr(node, "padding")
    if listed and (paddings or padding == "EXPLICIT"):
        yield from _list_faults("explicit_paddings", paddings, 2 * rank, least=0)
    if listed and len(attr(node, "data_format", "N" * rank)) != rank:
        expected = f"a format of {rank} dimensions"
        yield Fault("attribute 'data_format' is of another rank", "", attr(node, "data_format"), expected)


def _list_faults(key: str, sizes: Sequence[int], count: int, least: int) -> Iterator[Fault]:
    if len(sizes) != count:
        yield Fault(f"attribute {key!r} has a wrong number of entries", "", str(len(sizes)), str(count))
    elif not all(least <= size < _INT32 for size in sizes):
        yield Fault(f"attribute {key!r} has a size out of range", "", str(sizes), f"{least} to {_INT32 - 1}")


def _shape_faults(node: Node) -> Iterator[Fault]:
    """Shapes that no tensor has: TensorFlow refuses them too, and spells out all of their sizes."""
    for key in sorted(node.attr):
        sizes = [dim.size for dim in node.attr[key].shape.dim]
        if not is_possible(sizes):
            yield Fault(f"attribute {key!r} is a shape that no tensor has", "", shown(sizes))


def _rank_faults(node: Node) -> Iterator[Fault]:
    """Rows that are gathered have at most one rank less than those they come from: with indices of no dimension."""
    if node.op == "RaggedGather":
        least, rank = attr(node, "PARAMS_RAGGED_RANK", 0) - 1, attr(node, "OUTPUT_RAGGED_RANK", 0)
        if rank < least:
            yield Fault("attribute 'OUTPUT_RAGGED_RANK' is too small", "", str(rank), f"at least {least}")


# Constants ---------------------------------------------------------------------------------------

_LARGEST = 1 << 28
"""Bytes of a constant that repeats its last value: a file of some letters could ask for any memory otherwise."""
_VALUES = {
    **dict.fromkeys([DType.uint8, DType.int8, DType.int16, DType.uint16, DType.int32], "int_val"),
    DType.bool: "bool_val",
    DType.complex128: "dcomplex_val",
    DType.complex64: "scomplex_val",
    DType.float16: "half_val",
    DType.float32: "float_val",
    DType.float64: "double_val",
    DType.int64: "int64_val",
    DType.string: "string_val",
    DType.uint32: "uint32_val",
    DType.uint64: "uint64_val",
}
"""The field of a TensorProto that holds the values of a dtype one by one (tensorflow/core/framework/tensor.proto)."""


def _is_inline(node: Node, graph: Graph) -> bool:
    return node.op == "Const" and node.name not in graph.weights and "value" in node.attr


def _constant_faults(const: Node) -> Iterator[Fault]:
    """A value that is of another dtype than its node, or does not fit its own shape."""
    tensor, dtype = const.attr["value"].tensor, attr(const, "dtype")
    sizes = [dim.size for dim in tensor.tensor_shape.dim]
    if dtype not in _VALUES or tensor.dtype != dtype:
        found, expected = (DType(tensor.dtype).name if tensor.dtype else "none"), str(dtype)
        yield Fault("the constant's value is of another dtype", "", found, expected)
    elif tensor.tensor_shape.unknown_rank or min(sizes, default=0) < 0:
        yield Fault("the shape of the constant's value is not known", "", shown(sizes))
    elif (size := element_count(sizes)) is None:
        yield Fault("the constant's value has a shape that no tensor has", "", shown(sizes))
    else:
        yield from _value_faults(tensor, dtype, size)


def _value_faults(tensor: TensorProto, dtype: DType, size: int) -> Iterator[Fault]:
    content, given = len(tensor.tensor_content), len(getattr(tensor, _VALUES[dtype]))
    width = dtype.numpy.itemsize if dtype.is_number else 16
    if content and (not dtype.is_number or content != size * width):
        yield Fault("the constant's value does not fit its shape", "", f"{content} bytes", f"{size} of {dtype}")
    elif not content and size and not given:
        yield Fault("the constant has no value", "", f"{size} of {dtype}")
    elif not content and size > given and size * width > _LARGEST:
        yield Fault("the constant takes too much memory for its few values", "", f"{size} of {dtype}")
