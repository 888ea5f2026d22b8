"""Dtypes on which a node and its reader disagree.

TensorFlow.js reads no `T`: it has one kind of integer, and widens an operand as NumPy does (`makeTypesMatch` in
tfjs-core/src/tensor_util.ts). TensorFlow takes an input of no other dtype than the one that the reader's attributes
say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from bundler import ops
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node, Tensor, new_node

__all__ = ["agree_on_dtypes"]

_WIDTHS = "buifc"
"""NumPy's kinds of numbers, from the narrowest on."""
_DEFAULTS = {
    **dict.fromkeys(["output_type", "Targmax", "output_dtype"], DType.int64),
    **dict.fromkeys(["out_type", "out_idx"], DType.int32),
}
"""What TensorFlow takes an attribute for that is left out, if it is the dtype of an output."""
_Dtypes: TypeAlias = "Sequence[DType | None]"


def agree_on_dtypes(model: Model) -> Model:
    """Cast an input to the dtype that its reader's attributes say, if that is another integer or a wider one.

    A Cast reads whatever it is given. A fraction where the reader says integer stays: TensorFlow will refuse it.

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


class _Agreeing:
    """Graphs whose nodes agree with their readers; `found` says whether some did not."""

    def __init__(self) -> None:
        self.found = False
        self._known: dict[tuple[str, int], tuple[_Dtypes, _Dtypes, Node]] = {}  # nodes share attributes

    def graph(self, graph: Graph, arguments: Mapping[str, _Dtypes]) -> Graph:
        kinds = {made.name: self._dtypes(made) for made in graph.nodes}
        given = {**arguments, **{name: outputs for name, (_, outputs) in kinds.items()}}
        casts, nodes = dict[str, Node](), list[Node]()
        for made in graph.nodes:
            says, _ = kinds[made.name]
            has = [_at(given[tensor.node], tensor.port) for tensor in graph.inputs[made.name][: len(says)]]
            wrong = _wrong(has, says, made) if has != says else {}
            nodes += _mended(made, wrong, casts, graph) if wrong else [made]
            self.found = self.found or bool(wrong)
        return replace(graph, nodes=tuple(nodes))

    def _dtypes(self, made: Node) -> tuple[_Dtypes, _Dtypes]:
        """The dtypes of a node's inputs and outputs."""
        key = made.op, id(made.attr)
        known = self._known.get(key)
        if known is None:
            row = ops.table().get(made.op) or ops.Op()
            known = self._known[key] = [*_listed(row.inputs, made)], [*_listed(row.outputs, made)], made
        return known[:2]


def _listed(arguments: Sequence[ops.Argument], made: Node) -> Iterator[DType | None]:
    for argument in arguments:
        for index in range(argument.count(made)):
            yield argument.dtype(made, index) or _DEFAULTS.get(argument.kind)


def _at(dtypes: _Dtypes, port: int) -> DType | None:
    return dtypes[port] if 0 <= port < len(dtypes) else None


def _wrong(has: _Dtypes, says: _Dtypes, reader: Node) -> dict[int, tuple[DType, DType]]:
    """The inputs to cast, by their place: from which dtype, and to which."""
    pairs = enumerate(zip(has, says))
    return {
        at: (one, other) for at, (one, other) in pairs if one and other and one != other and _fits(one, other, reader)
    }


def _fits(has: DType, says: DType, reader: Node) -> bool:
    """Whether TensorFlow.js takes the one for the other, and a cast keeps its value."""
    if not (has.is_number and says.is_number):
        return False
    one, other = has.numpy.kind, says.numpy.kind
    return reader.op == "Cast" or {one, other} == {"i", "u"} or _WIDTHS.index(one) <= _WIDTHS.index(other)


def _mended(made: Node, wrong: Mapping[int, tuple[DType, DType]], casts: dict[str, Node], graph: Graph) -> list[Node]:
    """The node, and before it the casts that no other node needed yet."""
    if made.op == "Cast":
        return [made.having(SrcT=wrong[0][0])]
    inputs, new = [*made.input], list[Node]()
    for at, (has, says) in wrong.items():
        name = str(Tensor.parse(inputs[at])).replace(":", "/") + f"/{says}"
        while name in graph.by_name:
            name += "_"
        if name not in casts:
            casts[name] = new_node("Cast", name, [inputs[at]], SrcT=has, DstT=says)
            new.append(casts[name])
        inputs[at] = name
    return [*new, made._replace(input=tuple(inputs))]
