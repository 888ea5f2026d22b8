"""Attributes as TensorFlow wants them: nothing it does not know, everything it cannot do without.

TensorFlow.js reads attributes by name, takes what it finds and defaults the rest; TensorFlow
refuses a node whose attributes are not those of the op's definition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bundler import ops
from bundler.dtypes import DType
from bundler.nodes import Tensor, attr
from bundler.protos import AttrValue, NodeDef

__all__ = ["tidy"]

_DILATED = {"Conv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative", "_FusedConv2D", "DepthwiseConv2d"}


def tidy(nodes: Sequence[NodeDef], arguments: Mapping[str, DType]) -> None:
    """Mend the attributes of freshly read nodes, in place. Ops outside the table stay as they are.

    `arguments` are the dtypes of a function's arguments.
    """
    known = [node for node in nodes if node.op in ops.table()]
    for node in known:
        _rename(node)
        _drop(node)
        _default(node)
        _reorder_dilations(node)
    _derive(known, {node.name: node for node in nodes}, arguments)


def _rename(node: NodeDef) -> None:
    for alias, name in ops.table()[node.op].aliases.items():
        if alias in node.attr and name not in node.attr:
            node.attr[name].CopyFrom(node.attr[alias])


def _drop(node: NodeDef) -> None:
    """Attributes that TensorFlow's op does not have: `Conv2D.useCudnnOnGpu`, `LogicalAnd.T`, …"""
    for key in [key for key in node.attr if key not in ops.table()[node.op].attrs]:
        del node.attr[key]


def _default(node: NodeDef) -> None:
    for key, value in ops.table()[node.op].defaults.items():
        if key not in node.attr:
            node.attr[key].CopyFrom(AttrValue(b=value) if isinstance(value, bool) else AttrValue(f=value))


def _reorder_dilations(node: NodeDef) -> None:
    """Old converters wrote `[r, r, 1, 1]` for `[1, r, r, 1]` (BodyPix, PoseNet with ResNet)."""
    dilations = attr(node, "dilations") if node.op in _DILATED else None
    if isinstance(dilations, list) and len(dilations) == 4 and dilations[0] != 1 and dilations[2:] == [1, 1]:
        node.attr["dilations"].list.i[:] = [1, dilations[0], dilations[1], 1]


def _derive(nodes: Sequence[NodeDef], by_name: Mapping[str, NodeDef], arguments: Mapping[str, DType]) -> None:
    """Fill in the dtypes and counts that the inputs tell, until nothing new is learned."""
    pending = [node for node in nodes if _missing(node)]
    while pending:
        left = [node for node in pending if not _derive_one(node, by_name, arguments)]
        if len(left) == len(pending):
            return
        pending = left


def _missing(node: NodeDef) -> bool:
    """Whether no attribute tells the dtype or the count of some input."""
    attrs = ops.table()[node.op].attrs
    keys = {key for argument in ops.table()[node.op].inputs for key in (argument.kind, argument.number)}
    return any(key in attrs and key not in node.attr for key in keys)


def _derive_one(node: NodeDef, by_name: Mapping[str, NodeDef], arguments: Mapping[str, DType]) -> bool:
    """Fill in one node; whether all that it lacked is now known."""
    inputs = [reference for reference in node.input if not reference.startswith("^")]
    _count(node, len(inputs))
    at = 0
    for argument in ops.table()[node.op].inputs:
        dtype = _dtype_of(inputs[at], by_name, arguments) if at < len(inputs) else None
        if dtype is not None and not argument.listed and argument.kind not in node.attr:
            if argument.kind in ops.table()[node.op].attrs:
                node.attr[argument.kind].type = dtype
        at += len(argument.dtypes(node))
    return not _missing(node)


def _count(node: NodeDef, given: int) -> None:
    """`N` is what the inputs leave for the lists that are so long: one list, or two of equal length."""
    arguments = ops.table()[node.op].inputs
    lists = [argument for argument in arguments if argument.number]
    if lists and lists[0].number not in node.attr:
        node.attr[lists[0].number].i = (given - (len(arguments) - len(lists))) // len(lists)


def _dtype_of(reference: str, by_name: Mapping[str, NodeDef], arguments: Mapping[str, DType]) -> DType | None:
    tensor = Tensor.parse(reference)
    producer = by_name.get(tensor.node)
    return arguments.get(tensor.node) if producer is None else ops.output_dtype(producer, tensor.port)
