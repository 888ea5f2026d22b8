"""Attributes as TensorFlow wants them: nothing it does not know, everything it cannot do without.

TensorFlow.js reads attributes by name, takes what it finds and defaults the rest; TensorFlow
refuses a node whose attributes are not those of the op's definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bundler import ops
from bundler.dtypes import DType
from bundler.errors import ConversionError
from bundler.nodes import Tensor, attr
from bundler.protos import AttrValue, NodeDef

__all__ = ["derive", "tidy"]

_SLOTS = {"int": "i", "string": "s", "float": "f", "bool": "b"}
"""Where an AttrValue holds what an OpDef calls so; the other kinds have the same name in both."""
_MOST_TENSORS = 1 << 16
_DILATED = {"Conv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative", "_FusedConv2D", "DepthwiseConv2d"}


def tidy(node: NodeDef) -> None:
    """Mend the attributes of a freshly read node, in place; an op outside the table stays as it is.

    ConversionError for an attribute of a kind that the op does not have.
    """
    if node.op in ops.table():
        _rename(node)
        _drop(node)
        _default(node)
        _check(node)
        _reorder_dilations(node)


def derive(nodes: Sequence[NodeDef], arguments: Mapping[str, DType]) -> None:
    """Fill in, in place, what nodes do not say of themselves and their surroundings do.

    `arguments` are the dtypes of a function's arguments.
    """
    known = [node for node in nodes if node.op in ops.table()]
    _count_outputs(known)
    _derive_inputs(known, {node.name: node for node in nodes}, arguments)


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


def _check(node: NodeDef) -> None:
    """Attributes are of the kinds that the op's definition tells, and counts are not out of this world."""
    op = ops.table()[node.op]
    for key, value in node.attr.items():
        if not _is_of(op.attrs[key], value):
            raise ConversionError(f"attribute {key!r} of {node.op} is of another kind", expected=op.attrs[key])
        if key in op.counts and not 0 <= value.i <= _MOST_TENSORS:
            raise ConversionError(f"attribute {key!r} of {node.op} counts tensors", found=str(value.i))


def _is_of(kind: str, value: AttrValue) -> bool:
    """Whether a value is an `int`, a `list(int)`, …"""
    item = kind.removeprefix("list(").removesuffix(")")
    slot = _SLOTS.get(item, item)
    if item == kind:
        return bool(value.WhichOneof("value") == slot)
    return value.HasField("list") and all(field.name == slot for field, _ in value.list.ListFields())


def _reorder_dilations(node: NodeDef) -> None:
    """Old converters wrote `[r, r, 1, 1]` for `[1, r, r, 1]` (BodyPix, PoseNet with ResNet)."""
    dilations = attr(node, "dilations") if node.op in _DILATED else None
    if isinstance(dilations, list) and len(dilations) == 4 and dilations[0] != 1 and dilations[2:] == [1, 1]:
        node.attr["dilations"].list.i[:] = [1, dilations[0], dilations[1], 1]


def _count_outputs(nodes: Sequence[NodeDef]) -> None:
    """`num` and `num_split`, where left out: as many as are read. TensorFlow compares them with the shapes."""
    lacking = [(node, key) for node in nodes for key in ops.table()[node.op].output_counts if key not in node.attr]
    if lacking:
        read = [Tensor.parse(reference) for node in nodes for reference in node.input]
        last = {tensor.node: tensor.port for tensor in sorted(read)}
        for node, key in lacking:
            node.attr[key].i = max(last.get(node.name, 0), 0) + 1


def _derive_inputs(nodes: Sequence[NodeDef], by_name: Mapping[str, NodeDef], arguments: Mapping[str, DType]) -> None:
    """The dtypes and counts that the inputs tell. What one node learns, its readers may learn next."""
    pending = [node for node in nodes if _lacks(node)]
    readers: dict[str, list[NodeDef]] = {}
    for node in pending:
        for reference in node.input:
            readers.setdefault(Tensor.parse(reference).node, []).append(node)
    while pending:
        node = pending.pop()
        if _learns(node, by_name, arguments):
            pending += readers.get(node.name, ())


def _lacks(node: NodeDef) -> set[str]:
    """The attributes that would tell the dtypes and the number of the inputs, and are not there."""
    return {key for key in ops.table()[node.op].input_attrs if key not in node.attr}


def _learns(node: NodeDef, by_name: Mapping[str, NodeDef], arguments: Mapping[str, DType]) -> bool:
    """Fill in one node; whether anything was."""
    lacks = _lacks(node)
    inputs = [reference for reference in node.input if not reference.startswith("^")]
    for argument, given in _shared_out(node, inputs):
        if argument.number in lacks:
            node.attr[argument.number].i = len(given)
        dtypes = [dtype for dtype in (_dtype_of(reference, by_name, arguments) for reference in given) if dtype]
        if argument.kind in lacks and argument.listed and len(dtypes) == len(given):
            node.attr[argument.kind].list.type.extend(dtypes)
        elif argument.kind in lacks and not argument.listed and dtypes:
            node.attr[argument.kind].type = dtypes[0]
    return _lacks(node) != lacks


def _shared_out(node: NodeDef, inputs: Sequence[str]) -> Iterator[tuple[ops.Argument, Sequence[str]]]:
    """Each argument of the op with its inputs. A list of unknown length takes what the others leave."""
    lacks, arguments = _lacks(node), ops.table()[node.op].inputs
    counts = [len(argument.dtypes(node)) for argument in arguments]
    left, at = max(0, len(inputs) - sum(counts)), 0
    for argument, count in zip(arguments, counts):
        if (argument.kind if argument.listed else argument.number) in lacks:
            count, left = left, 0
        yield argument, inputs[at : at + count]
        at += count


def _dtype_of(reference: str, by_name: Mapping[str, NodeDef], arguments: Mapping[str, DType]) -> DType | None:
    tensor = Tensor.parse(reference)
    producer = by_name.get(tensor.node)
    return arguments.get(tensor.node) if producer is None else ops.output_dtype(producer, tensor.port)
