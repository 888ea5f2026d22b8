"""The table of ops that TensorFlow.js runs.

`ops.json` has a row for each of the 248 ops of TensorFlow.js' op lists (tfjs-converter/python/tensorflowjs/op_list),
with inputs, outputs and attributes as in TensorFlow's op registry. It is an allow-list: an op without a row that an
output needs is refused, so that no model from the web brings a `WriteFile` into a served graph. The rows of a few more
ops are for graphs that bundler itself writes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

from bundler.errors import ConversionError, Fault
from bundler.ir.dtypes import DType
from bundler.ir.model import Model
from bundler.ir.nodes import Node, Tensor, attr, port_of

__all__ = [
    "Argument",
    "Op",
    "faults",
    "flat_port",
    "has_named_ports",
    "has_port",
    "named_port",
    "output_dtype",
    "read_tensor",
    "table",
]

_OF_LAYERS = ("Conv3DBackpropInputV2",)
"""Ops beyond the lists that layers become in TensorFlow (Conv3DTranspose). They compute and have no side effects."""

_DTYPES = dict(DType.__members__)
"""By name, as arguments of a fixed dtype spell them."""


class Argument(NamedTuple):
    """One input or output of an op: a tensor, or a list of tensors.

    `kind` is a dtype's name, or the attribute that holds the dtype; `number` the attribute that counts the tensors of a
    list of one dtype; with `listed`, `kind` is an attribute that lists the dtypes.
    """

    name: str
    kind: str
    number: str = ""
    listed: bool = False

    @classmethod
    def parse(cls, spelled: str) -> Argument:
        """The argument that `name:kind`, `name:number*kind` or `name:*kinds` spells."""
        name, _, kind = spelled.partition(":")
        number, star, rest = kind.rpartition("*")
        return cls(name, rest, number, listed=bool(star) and not number)

    @property
    def is_single(self) -> bool:
        """Whether it is one tensor at every node."""
        return not self.number and not self.listed

    def count(self, node: Node) -> int:
        """The number of tensors of this argument at `node`."""
        if self.listed:
            return len(node.attr[self.kind].list.type) if self.kind in node.attr else 0
        return attr(node, self.number, 0) if self.number else 1

    def dtype(self, node: Node, index: int) -> DType | None:
        """The dtype of one of the argument's tensors at `node`; None if its attribute is missing."""
        if self.listed:
            return DType(node.attr[self.kind].list.type[index])
        return _DTYPES.get(self.kind) or attr(node, self.kind)


_BEYOND = {
    "Conv3DBackpropInputV2": (Argument("output", "T"),),
    "PartitionedCall": (Argument("output", "Tout", listed=True),),
    "ReadVariableOp": (Argument("value", "dtype"),),
    "StatefulPartitionedCall": (Argument("output", "Tout", listed=True),),
}
"""Outputs of ops beyond the table that bundler writes."""


@dataclass(frozen=True)
class Op:
    """A row of the table.

    `attrs` gives each attribute's type as in an OpDef; `implied` what TensorFlow takes for attributes that are left
    out, but for dtypes; `defaults` the defaults of TensorFlow.js that differ from TensorFlow's; `aliases`
    TensorFlow.js' names of TensorFlow's attributes; `refused` the reason why an op that TensorFlow.js runs cannot be
    imported. The steps of composed signatures write ops that are `ours`; a model may not bring them.
    """

    inputs: tuple[Argument, ...] = ()
    outputs: tuple[Argument, ...] = ()
    attrs: Mapping[str, str] = field(default_factory=dict)
    implied: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    ours: bool = False

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        return tuple(output.name for output in self.outputs)

    def input_count(self, node: Node) -> int:
        """The number of inputs that `node` must have by its attributes, without control edges."""
        return self._inputs_everywhere or sum(argument.count(node) for argument in self.inputs)

    def output_count(self, node: Node) -> int:
        """The number of outputs that `node` has by its attributes."""
        return self._outputs_everywhere or sum(argument.count(node) for argument in self.outputs)

    @cached_property
    def _inputs_everywhere(self) -> int:
        return _fixed_count(self.inputs)

    @cached_property
    def _outputs_everywhere(self) -> int:
        return _fixed_count(self.outputs)

    @cached_property
    def input_attrs(self) -> frozenset[str]:
        """The attributes that hold the dtypes and the number of the inputs."""
        return (
            frozenset(key for argument in self.inputs for key in (argument.kind, argument.number)) & self.attrs.keys()
        )

    @cached_property
    def input_counts(self) -> frozenset[str]:
        """The attributes that count the tensors of the inputs."""
        return frozenset(argument.number for argument in self.inputs) & self.attrs.keys()

    @cached_property
    def counts(self) -> frozenset[str]:
        """The attributes that count tensors."""
        return frozenset(argument.number for argument in (*self.inputs, *self.outputs)) & self.attrs.keys()

    @cached_property
    def output_counts(self) -> frozenset[str]:
        """The counts that do not follow from the inputs."""
        return self.counts - self.input_attrs


def _fixed_count(arguments: Sequence[Argument]) -> int:
    """The number of tensors at every node; 0 if it depends on the node."""
    return len(arguments) if all(argument.is_single for argument in arguments) else 0


@cache
def table() -> Mapping[str, Op]:
    """The rows of `ops.json`, by op."""
    rows = json.loads(Path(__file__).with_name("ops.json").read_bytes())
    return {name: _row(**row) for name, row in rows.items()}


def _row(**row: Any) -> Op:
    inputs, outputs = ([Argument.parse(argument) for argument in row.pop(side, ())] for side in ("in", "out"))
    return Op(tuple(inputs), tuple(outputs), **row)


def output_dtype(node: Node, port: int) -> DType | None:
    """The dtype of an output by the node's attributes; None if they do not hold it, or the op has no row."""
    op = table().get(node.op)
    for output in op.outputs if op is not None else ():
        count = output.count(node)
        if port < count:
            return output.dtype(node, port)
        port -= count
    return None


def flat_port(node: Node, output: str, index: int) -> int:
    """The port of a FunctionDef's `node:output:index`: its place among all outputs.

    For an op without a row it is `index`.
    """
    op = table().get(node.op)
    if op is None or output not in op.output_names:
        return index
    before = op.outputs[: op.output_names.index(output)]
    return index + sum(argument.count(node) for argument in before)


def named_port(node: Node, port: int) -> tuple[str, int]:
    """The `output` and `index` by which a FunctionDef refers to a port.

    Raises ConversionError for an op without a row, whose outputs' names are unknown.
    """
    if port == 0 and (only := _only_output(node.op)):
        return only, 0
    index = port
    for output in _outputs(node.op):
        count = output.count(node)
        if index < count:
            return output.name, index
        index -= count
    raise ConversionError(
        f"no output of {node.op!r} is known by that number", where=f"node {node.name!r}", found=str(port)
    )


def has_named_ports(op: str) -> bool:
    """Whether the names of an op's outputs are known."""
    return op in table() or op in _BEYOND


@cache
def _only_output(op: str) -> str:
    """The name of an op's output if each node has one; else ""."""
    outputs = _outputs(op)
    return outputs[0].name if len(outputs) == 1 and outputs[0].is_single else ""


def _outputs(op: str) -> Sequence[Argument]:
    return table()[op].outputs if op in table() else _BEYOND.get(op, ())


def has_port(node: Node, port: int) -> bool:
    """Whether a node has that output; True for any port of an op without a row."""
    op = table().get(node.op)
    if op is None or op.refused:
        return port >= 0
    return 0 <= port < op.output_count(node)


def faults(model: Model, allowed: Iterable[str] = ()) -> Iterator[Fault]:
    """Ops that cannot be imported, each once, and nodes whose inputs do not fit their op. `allowed` ops need no row."""
    known, passed = table(), {*allowed, *_OF_LAYERS}
    sound = set[tuple[str, int, int]]()  # by op, identity of attributes and number of inputs: nodes share them
    for node in (node for graph in model.graphs for node in graph.nodes):
        op = known.get(node.op)
        if op is not None and not op.refused and (not op.ours or node.op in passed):
            kind = node.op, id(node.attr), len([reference for reference in node.input if reference[:1] != "^"])
            if kind not in sound:
                found = [*_input_faults(node, op, kind[-1])]
                sound |= set() if found else {kind}
                yield from found
        elif node.op not in passed:
            passed.add(node.op)
            yield _refusal(node, op)


def _refusal(node: Node, op: Op | None) -> Fault:
    hint = "ask for outputs that do not need it"
    if op is not None and op.refused:
        return Fault(f"op {node.op!r} {op.refused}", f"node {node.name!r}", hint=hint)
    hint += f', or trust it: allow_ops = ["{node.op}"]'
    return Fault(f"op {node.op!r} is not one that TensorFlow.js runs", f"node {node.name!r}", hint=hint)


def _input_faults(node: Node, op: Op, given: int) -> Iterator[Fault]:
    """A wrong number of inputs, control edges aside, or a missing attribute on their dtypes or number."""
    taken = op.input_count(node)
    unknown = op.input_attrs - node.attr.keys()
    if given != taken:
        yield Fault(f"{node.op} with a wrong number of inputs", f"node {node.name!r}", str(given), str(taken))
    elif unknown:
        yield Fault(
            f"{node.op} lacks an attribute",
            f"node {node.name!r}",
            "",
            min(unknown),
        )


def read_tensor(reference: str, nodes: Mapping[str, Node]) -> Tensor:
    """The tensor of an input as a FunctionDef spells it: `arg`, `node:output:index`, `^node`."""
    name, _, rest = reference.partition(":")
    output, _, index = rest.partition(":")
    number = port_of(index)
    if reference.startswith("^") or name not in nodes or number is None:
        return Tensor.parse(reference)
    return Tensor(name, flat_port(nodes[name], output, number))
