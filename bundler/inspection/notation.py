"""A node in the notation of the docs: `y = Conv2D(x, w, padding=SAME, strides=[1, 2, 2, 1])`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bundler import ops
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, inline_value, shape_of
from bundler.ir.protos import AttrValue, NameAttrList, TensorProto, TensorShapeProto
from bundler.ir.shapes import shown
from bundler.report.neighbourhood import NodeReport

__all__ = ["node_report"]

_SHOWN = 60
"""Characters of an attribute that a line shows."""
_FEW = 4
"""Elements of a constant that a line shows."""
_OF_TYPES = {"Placeholder", "Const", "Cast", "VarHandleOp", "ReadVariableOp", "Bitcast"}
"""Ops of which the dtype is worth a place on the line. For others it follows from their inputs."""

_NOTHING = ("", "[]", "False")
_PLAIN = {
    "data_format": ("NHWC",),
    "dilations": ("[1, 1]", "[1, 1, 1, 1]"),
    "use_cudnn_on_gpu": ("True",),
    "value": (),
}
"""Texts of attributes that say nothing, of some attributes others."""


def node_report(node: Node, graph: Graph) -> NodeReport:
    """A node of a graph. The line leaves out dtypes, counts, defaults and private attributes."""
    attrs = {key: _spelled(value) for key, value in sorted(node.attr.items())} | dict(_constant(node, graph))
    shown = [f"{key}={_cut(text)}" for key, text in attrs.items() if _is_shown(key, text, node)]
    line = f"{node.name} = {node.op}({', '.join([*node.input, *shown])})"
    return NodeReport(node.name, node.op, node.input, attrs, line)


def _spelled(value: AttrValue) -> str:
    """The value of an attribute as text."""
    slot = value.WhichOneof("value")
    if slot is None:
        return ""
    if slot != "list":
        return _item(slot, getattr(value, slot))
    return f"[{', '.join(_item(field.name, item) for field, items in value.list.ListFields() for item in items)}]"


def _item(slot: str, item: Any) -> str:
    if slot == "type":
        return _dtype(item)
    if isinstance(item, bytes):
        return item.decode(errors="backslashreplace")
    if isinstance(item, TensorShapeProto):
        return _shape(item)
    if isinstance(item, TensorProto):
        return f"{_dtype(item.dtype)}{_shape(item.tensor_shape)}"
    if isinstance(item, NameAttrList):
        return str(item.name)
    return f"{item:g}" if isinstance(item, float) else str(item)


def _dtype(number: int) -> str:
    return next((str(known) for known in DType if known == number), f"dtype {number}")


def _shape(message: TensorShapeProto) -> str:
    shape = shape_of(message)
    return "?" if shape is None else shown(shape)


def _constant(node: Node, graph: Graph) -> Iterator[tuple[str, str]]:
    """The shape of a constant, and its value if it has few elements."""
    weight = graph.weights.get(node.name)
    if weight is not None:
        yield "shape", f"[{', '.join(map(str, weight.shape))}]"
    elif node.op == "Const" and "value" in node.attr:
        yield "shape", _shape(node.attr["value"].tensor.tensor_shape)
    few = weight is not None and weight.size <= _FEW and weight.dtype.is_number
    value = weight.array() if weight is not None and few else _inline(node)
    if value is not None and value.size <= _FEW:
        yield "value", str(value.tolist())


def _inline(node: Node) -> Any:
    known = {dtype.value for dtype in DType}
    tensor = node.attr["value"].tensor if node.op == "Const" and "value" in node.attr else None
    return inline_value(tensor) if tensor is not None and tensor.dtype in known else None


def _is_shown(key: str, text: str, node: Node) -> bool:
    row = ops.table().get(node.op)
    if key.startswith("_") or text in _PLAIN.get(key, _NOTHING) or (row is not None and key in row.counts):
        return False
    value = node.attr.get(key)
    is_type = value is not None and (value.WhichOneof("value") == "type" or bool(value.list.type))
    return node.op in _OF_TYPES or not is_type


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
