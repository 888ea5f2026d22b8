"""The attributes of nodes, as the ops' definitions have them.

TensorFlow.js reads the attributes that it uses, and has a default for each. TensorFlow refuses a node whose attributes
are not exactly those of the op's definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

from bundler import ops
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, Tensor, Value
from bundler.ir.protos import AttrValue
from bundler.ir.weight import Weight
from bundler.ops import Op
from bundler.tfjs.counts import count
from bundler.tfjs.spelling import convert_numbers, respell

__all__ = ["derive", "tidy"]

_SLOTS = {"int": "i", "string": "s", "float": "f", "bool": "b"}
"""The field of an AttrValue for a kind of an OpDef; the other kinds have the same name in both."""
_MOST_TENSORS = 1 << 16
_TURNS = 10
"""Passes over the nodes to infer attributes from inputs: one suffices except for loops."""


def tidy(op: str, attrs: dict[str, AttrValue]) -> None:
    """Change freshly read attributes, in place, to those of the op's definition. An op outside the table keeps its own.

    ConversionError if an attribute is of another kind than in the definition.
    """
    row = ops.table().get(op)
    if row is not None:
        _rename(row, attrs)
        _drop(row, attrs)
        _default(row, attrs)
        convert_numbers(row, attrs)
        _check(op, row, attrs)
        respell(row, attrs)


def _rename(row: Op, attrs: dict[str, AttrValue]) -> None:
    for alias, name in row.aliases.items():
        if alias in attrs:
            attrs.setdefault(name, attrs[alias])


def _drop(row: Op, attrs: dict[str, AttrValue]) -> None:
    """Drop attributes that TensorFlow's op does not have: `Conv2D.useCudnnOnGpu`, `LogicalAnd.T`, …"""
    for key in attrs.keys() - row.attrs.keys():
        del attrs[key]


def _default(row: Op, attrs: dict[str, AttrValue]) -> None:
    for key, value in row.defaults.items():
        if key not in attrs:
            attrs[key] = AttrValue(b=value) if isinstance(value, bool) else AttrValue(f=value)


def _check(op: str, row: Op, attrs: Mapping[str, AttrValue]) -> None:
    """Raise ConversionError for a value of another kind than in the op's definition, or an absurd count."""
    for key, value in attrs.items():
        if not _is_of(row.attrs[key], value):
            raise ConversionError(f"attribute {key!r} of {op} is of another kind", expected=row.attrs[key])
        if key in row.counts and not 0 <= value.i <= _MOST_TENSORS:
            raise ConversionError(f"attribute {key!r} of {op} is no number of tensors", found=str(value.i))


def _is_of(kind: str, value: AttrValue) -> bool:
    """Whether a value is an `int`, a `list(int)`, …"""
    item = kind.removeprefix("list(").removesuffix(")")
    slot = _SLOTS.get(item, item)
    if item == kind:
        return bool(value.WhichOneof("value") == slot)
    return value.HasField("list") and all(field.name == slot for field, _ in value.list.ListFields())


def derive(nodes: Sequence[Node], arguments: Mapping[str, DType], weights: Mapping[str, Weight] = {}) -> list[Node]:
    """The nodes with the attributes that they lack and their inputs imply: dtypes, and counts of tensors.

    `arguments` are the dtypes of a function's arguments, `weights` the values of constants.
    """
    return _derive_inputs(count(nodes, weights), arguments)


def _derive_inputs(nodes: Sequence[Node], arguments: Mapping[str, DType]) -> list[Node]:
    """The nodes with dtypes and counts from their inputs. An attribute of one node may imply those of its readers."""
    kinds = {(node.op, id(node.attr)): node for node in nodes}  # nodes share attributes
    if not any(map(_lacks, kinds.values())):
        return [*nodes]
    pending = {node.name: node for node in nodes if _lacks(node)}
    by_name, in_order = {node.name: node for node in nodes}, _inputs_first(pending)
    for _ in range(_TURNS):
        changed = False
        for name in in_order:
            implied = _implied(by_name[name], by_name, arguments)
            if implied:
                by_name[name], changed = by_name[name].having(**implied), True
        if not changed:
            break
    return [by_name[node.name] for node in nodes]


def _inputs_first(nodes: Mapping[str, Node]) -> list[str]:
    """The names of nodes, each after those of them that it reads, except in cycles."""
    found, met = list[str](), set[str]()
    pending = [(name, False) for name in reversed([*nodes])]
    while pending:
        name, is_done = pending.pop()
        if is_done:
            found.append(name)
        elif name not in met:
            met.add(name)
            pending.append((name, True))
            read = (Tensor.parse(reference).node for reference in nodes[name].input)
            pending += [(other, False) for other in read if other in nodes and other not in met]
    return found


def _lacks(node: Node) -> Set[str]:
    """The attributes for the dtypes and the number of the inputs that the node lacks."""
    row = ops.table().get(node.op)
    return row.input_attrs - node.attr.keys() if row is not None else set()


def _implied(node: Node, by_name: Mapping[str, Node], arguments: Mapping[str, DType]) -> dict[str, Value]:
    """The attributes that a node lacks and its inputs imply."""
    lacks, implied = _lacks(node), dict[str, Value]()
    if not lacks:
        return implied
    inputs = [reference for reference in node.input if not reference.startswith("^")]
    for argument, given in _shared_out(node, inputs):
        if argument.number in lacks:
            implied[argument.number] = len(given)
        if argument.kind in lacks:
            known = [dtype for reference in given if (dtype := _dtype_of(reference, by_name, arguments))]
            if argument.listed and len(known) == len(given):
                implied[argument.kind] = known
            elif known and not argument.listed:
                implied[argument.kind] = known[0]
    return implied


def _shared_out(node: Node, inputs: Sequence[str]) -> Iterator[tuple[ops.Argument, Sequence[str]]]:
    """Each argument of the op with its inputs. A list of unknown length has the inputs that the others leave."""
    lacks, arguments = _lacks(node), ops.table()[node.op].inputs
    sizes = [argument.count(node) for argument in arguments]
    left, at = max(0, len(inputs) - sum(sizes)), 0
    for argument, size in zip(arguments, sizes):
        if (argument.kind if argument.listed else argument.number) in lacks:
            size, left = left, 0
        yield argument, inputs[at : at + size]
        at += size


def _dtype_of(reference: str, by_name: Mapping[str, Node], arguments: Mapping[str, DType]) -> DType | None:
    tensor = Tensor.parse(reference)
    producer = by_name.get(tensor.node)
    return arguments.get(tensor.node) if producer is None else ops.output_dtype(producer, tensor.port)
