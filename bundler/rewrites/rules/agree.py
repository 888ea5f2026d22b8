"""Dtypes on which a node and its reader disagree.

TensorFlow.js ignores `T`: it has one kind of integer, and widens an operand as NumPy does (`makeTypesMatch` in
tfjs-core/src/tensor_util.ts). TensorFlow refuses an input of another dtype than that of the reader's attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from bundler import ops
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node, Tensor, free_name, new_node, node_of

__all__ = ["agree_on_dtypes"]

_WIDTHS = "buifc"
"""NumPy's kinds of numbers, the narrowest first."""
_DEFAULTS = {
    **dict.fromkeys(["output_type", "Targmax", "output_dtype"], DType.int64),
    **dict.fromkeys(["out_type", "out_idx"], DType.int32),
}
"""TensorFlow's defaults of attributes that are the dtype of an output."""
_Dtypes: TypeAlias = "Sequence[DType | None]"


def agree_on_dtypes(model: Model) -> Model:
    """Cast an input to the dtype of its reader's attributes, if that is another integer or a wider dtype.

    A Cast gets the dtype of its input for `SrcT`. A float that is read as an integer stays: TensorFlow refuses it.

    Before:
        size = LookupTableSizeV2(table)
        y = AddV2(size, size, T=int32)
    After:
        size = LookupTableSizeV2(table)
        size/int32 = Cast(size, SrcT=int64, DstT=int32)
        y = AddV2(size/int32, size/int32, T=int32)
    """
    agreeing = _Agreeing()
    graph = agreeing.graph(model.graph, {})
    functions = {
        name: replace(each, graph=agreeing.graph(each.graph, _arguments(each)))
        for name, each in model.functions.items()
    }
    return replace(model, graph=graph, functions=functions) if agreeing.found else model


def _arguments(function: Function) -> dict[str, _Dtypes]:
    return {argument.name: [DType(argument.type)] for argument in function.definition.signature.input_arg}


class _Kind(NamedTuple):
    """The dtypes of a node's inputs and outputs, and the first node that has them."""

    inputs: _Dtypes
    outputs: _Dtypes
    first: Node


class _Agreeing:
    """Graphs with casts between nodes and readers that disagree; `found` is whether some did."""

    def __init__(self) -> None:
        self.found = False
        self._known: dict[tuple[str, int], _Kind] = {}  # nodes share attributes

    def graph(self, graph: Graph, arguments: Mapping[str, _Dtypes]) -> Graph:
        kinds = [self._kind(node) for node in graph.nodes]
        given = _Given({**arguments, **{node.name: kind.outputs for node, kind in zip(graph.nodes, kinds)}})
        casts, mended = dict[str, Node](), dict[str, Sequence[Node]]()
        for node, (expected, _, _) in zip(graph.nodes, kinds):
            found = [given[reference] for reference in node.input[: len(expected)]] if expected else []
            wrong = _wrong(found, expected, node) if found != expected else {}
            if wrong:
                mended[node.name] = _mended(node, wrong, casts, graph)
        self.found = self.found or bool(mended)
        return graph.replacing(mended) if mended else graph

    def _kind(self, node: Node) -> _Kind:
        key = node.op, id(node.attr)
        known = self._known.get(key)
        if known is None:
            row = ops.table().get(node.op) or ops.Op()
            known = self._known[key] = _Kind([*_listed(row.inputs, node)], [*_listed(row.outputs, node)], node)
        return known


class _Given(dict[str, "DType | None"]):
    """The dtype of the tensor that a reference spells. Most references are the name of a node: its first output."""

    def __init__(self, outputs: Mapping[str, _Dtypes]) -> None:
        super().__init__({name: made[0] for name, made in outputs.items() if made and node_of(name) == name})
        self._outputs = outputs

    def __missing__(self, reference: str) -> DType | None:
        name, port = Tensor.parse(reference)
        outputs = self._outputs[name]
        self[reference] = found = outputs[port] if 0 <= port < len(outputs) else None
        return found


def _listed(arguments: Sequence[ops.Argument], node: Node) -> Iterator[DType | None]:
    for argument in arguments:
        for index in range(argument.count(node)):
            yield argument.dtype(node, index) or _DEFAULTS.get(argument.kind)


def _wrong(found: _Dtypes, expected: _Dtypes, reader: Node) -> dict[int, tuple[DType, DType]]:
    """The inputs to cast, by index: the dtypes to cast from and to."""
    pairs = enumerate(zip(found, expected))
    return {
        at: (one, other) for at, (one, other) in pairs if one and other and one != other and _fits(one, other, reader)
    }


def _fits(found: DType, expected: DType, reader: Node) -> bool:
    """Whether TensorFlow.js takes `found` for `expected`, and a cast keeps the value."""
    if not (found.is_number and expected.is_number):
        return False
    one, other = found.numpy.kind, expected.numpy.kind
    return reader.op == "Cast" or {one, other} == {"i", "u"} or _WIDTHS.index(one) <= _WIDTHS.index(other)


def _mended(node: Node, wrong: Mapping[int, tuple[DType, DType]], casts: dict[str, Node], graph: Graph) -> list[Node]:
    """The node, and before it the casts that no earlier node needed."""
    if node.op == "Cast":
        return [node.having(SrcT=wrong[0][0])]
    inputs, new = [*node.input], list[Node]()
    for at, (found, expected) in wrong.items():
        spelled = str(Tensor.parse(inputs[at])).replace(":", "/")
        name = free_name(f"{spelled}/{expected}", graph.by_name)
        if name not in casts:
            casts[name] = new_node("Cast", name, [inputs[at]], SrcT=found, DstT=expected)
            new.append(casts[name])
        inputs[at] = name
    return [*new, node._replace(input=tuple(inputs))]
