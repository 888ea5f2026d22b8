"""`modelTopology` and `modelInitializer` of a model.json: from JSON to nodes and functions.

They are GraphDefs, as tensorflow/core/framework/graph.proto and function.proto tell.
"""

from __future__ import annotations

import marshal
from collections.abc import Container, Iterator, Mapping, Sequence, Set
from itertools import chain

from bundler import ops
from bundler.errors import ConversionError, within
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph
from bundler.ir.nodes import Node, Tensor, attr
from bundler.ir.protos import AttrValue, FunctionDef, OpDef
from bundler.ir.weight import Weight
from bundler.tfjs import fields
from bundler.tfjs.attributes import derive, tidy
from bundler.tfjs.edges import check_edges
from bundler.tfjs.fields import Json
from bundler.tfjs.values import read_attrs, read_dtype

__all__ = ["read_functions", "read_graph"]


def read_graph(topology: Json, weights: Mapping[str, Weight]) -> Graph:
    """The main graph. ConversionError where a node is not what a GraphDef can hold."""
    return _join(_nodes(fields.tables(topology, "node"), weights), weights)


def read_functions(topology: Json, weights: Mapping[str, Weight]) -> dict[str, Function]:
    """The function library, by name."""
    entries = fields.tables(fields.table(topology, "library"), "function")
    functions = [_function(entry, weights) for entry in entries]
    return {function.definition.signature.name: function for function in functions}


def _nodes(entries: Sequence[Json], weights: Container[str]) -> list[Node]:
    """The nodes. Those of one op that are spelled alike share their attributes, which are read once."""
    kinds: dict[tuple[str, bytes], dict[str, AttrValue]] = {}
    nodes = []
    for entry in entries:
        name = fields.text(entry, "name", "")
        with within(f"node {name!r}"):
            op, attrs = fields.text(entry, "op", ""), fields.table(entry, "attr")
            if op == "Const" and name in weights:
                attrs = {key: value for key, value in attrs.items() if key == "dtype"}  # the weight has the rest
            # Files list attributes in any order. Two that are spelled alike differ in version 1 if one is interned.
            spelled = (op, marshal.dumps(sorted(attrs.items()), 0))
            kind = kinds.get(spelled)
            if kind is None:
                kind = kinds[spelled] = _attrs(op, attrs)
            nodes.append(Node(op, name, tuple(fields.texts(entry, "input")), kind))
    return nodes


def _attrs(op: str, entries: Json) -> dict[str, AttrValue]:
    """The attributes of a node. Its device goes: it is where the converter ran, not where the user will."""
    # Private attributes (`_class`, `_output_shapes`, …) speak of the program that wrote the graph.
    row = ops.table().get(op)
    known = entries.keys() if row is None else row.attrs.keys() | row.aliases.keys()
    attrs = read_attrs({key: value for key, value in entries.items() if key[:1] != "_" and key in known})
    tidy(op, attrs)
    return attrs


def _join(nodes: Sequence[Node], weights: Mapping[str, Weight], arguments: Mapping[str, DType] = {}) -> Graph:
    """Nodes and weights become a graph: each weight is cast to what its Const says it is.

    The file's dtype is not the graph's: the converter writes int64 as int32 and float64 as float32,
    and leaves the node's own attribute as it was.
    """
    found: dict[str, Weight] = {}
    listed = []
    for node in nodes:
        weight = weights.get(node.name) if node.op == "Const" else None
        if weight is not None:
            with within(f"node {node.name!r}"):
                found[node.name] = weight.cast(attr(node, "dtype", weight.dtype))
            node = node if "dtype" in node.attr else node.having(dtype=weight.dtype)
        listed.append(node)
    graph = Graph(tuple(derive(listed, arguments, found)), found)
    check_edges(graph, arguments)
    return graph


# Functions ---------------------------------------------------------------------------------------


def _function(entry: Json, weights: Mapping[str, Weight]) -> Function:
    """One function, its inputs written as in a graph."""
    name = fields.text(fields.table(entry, "signature"), "name", "")
    with within(f"function {name!r}"):
        definition = FunctionDef(signature=_function_signature(name, fields.table(entry, "signature")))
        arguments = {argument.name: DType(argument.type) for argument in definition.signature.input_arg}
        results = {output: fields.of(str, value, "a result") for output, value in fields.table(entry, "ret").items()}
        own = _Own(name, weights)
        nodes = _nodes(fields.tables(entry, "nodeDef"), own)
        references = [*(reference for node in nodes for reference in node.input), *results.values()]
        nodes = _shortened(nodes, f"{name}/", arguments.keys())
        nodes += _missing_constants(name, references, {node.name for node in nodes} | arguments.keys(), weights)
        names = _Names(name, {node.name: node for node in nodes}, arguments.keys())
        nodes = [node._replace(input=tuple(str(names.tensor(each)) for each in node.input)) for node in nodes]
        returns = {output: names.tensor(reference) for output, reference in results.items()}
        return Function(definition, _join(nodes, own, arguments), returns)


def _shortened(nodes: Sequence[Node], prefix: str, arguments: Set[str]) -> list[Node]:
    """The nodes that bear the function's name without it, where that name is free.

    The converter puts it before the names of constants; TensorFlow refuses names that begin as those of
    its functions do (`__inference_…`).
    """
    taken = {node.name for node in nodes} | arguments
    short = {node.name: node.name.removeprefix(prefix) for node in nodes}
    return [node if short[node.name] in taken else node._replace(name=short[node.name]) for node in nodes]


class _Own(Mapping[str, Weight]):
    """The weights as a function knows them: its own `<function>/<constant>` are `<constant>` as well.

    A view: to copy all weights for each of thousands of functions takes long.
    """

    def __init__(self, function: str, weights: Mapping[str, Weight]) -> None:
        self._prefix = f"{function}/"
        self._weights = weights

    def __getitem__(self, name: str) -> Weight:
        own = self._weights.get(self._prefix + name)
        return self._weights[name] if own is None else own

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys(chain(self._weights, (name.removeprefix(self._prefix) for name in self._weights)))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _function_signature(name: str, entry: Json) -> OpDef:
    """Name, arguments and results. Control outputs (`controlRet`) mean nothing to TensorFlow.js."""
    return OpDef(
        name=name,
        input_arg=[_argument(argument) for argument in fields.tables(entry, "inputArg")],
        output_arg=[_argument(argument) for argument in fields.tables(entry, "outputArg")],
        is_stateful=entry.get("isStateful") is True,
    )


def _argument(entry: Json) -> OpDef.ArgDef:
    name = fields.text(entry, "name")
    with within(f"argument {name!r}"):
        return OpDef.ArgDef(name=name, type=read_dtype(entry.get("type")))


def _missing_constants(
    function: str, references: list[str], present: set[str], weights: Mapping[str, Weight]
) -> Iterator[Node]:
    """Const nodes that only their weights tell of.

    A branch that returns a constant is written without nodes: its result points at `c:output:0`, and the
    weight is named `<function>/c`.
    """
    wanted = {Tensor.parse(reference.split(":")[0]).node for reference in references}
    for name in sorted(wanted - present):
        qualified = f"{function}/{name}"
        if qualified in weights and qualified not in present:
            yield Node("Const", name).having(dtype=weights[qualified].dtype)


class _Names:
    """What the names in a function's body mean.

    The converter renames constants to `<function>/<name>` but not always where they are read, or the
    reverse: either spelling finds the node.
    """

    def __init__(self, function: str, nodes: Mapping[str, Node], arguments: Set[str]) -> None:
        self._prefix = f"{function}/"
        self._nodes = nodes
        self._known = nodes.keys() | arguments

    def tensor(self, reference: str) -> Tensor:
        """The tensor behind `arg`, `node:output:index` or `^node`."""
        caret = "^" if reference.startswith("^") else ""
        name, colon, port = reference.removeprefix("^").partition(":")
        found = next((spelled for spelled in self._spellings(name) if spelled in self._known), None)
        tensor = ops.read_tensor(f"{caret}{found}{colon}{port}", self._nodes)
        if tensor.node != found:
            raise ConversionError("a name leads nowhere in the function", found=reference)
        return tensor

    def _spellings(self, name: str) -> tuple[str, ...]:
        return name, self._prefix + name, name.removeprefix(self._prefix)
