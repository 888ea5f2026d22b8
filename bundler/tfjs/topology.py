"""`modelTopology` and `modelInitializer` of a model.json: from JSON to nodes and functions.

They are GraphDefs (tensorflow/core/framework/graph.proto, function.proto) in protobuf's JSON.
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
    """The main graph. ConversionError if a GraphDef cannot hold a node."""
    return _join(_nodes(fields.tables(topology, "node"), weights), weights)


def read_functions(topology: Json, weights: Mapping[str, Weight]) -> dict[str, Function]:
    """The function library, by name."""
    entries = fields.tables(fields.table(topology, "library"), "function")
    functions = [_function(entry, weights) for entry in entries]
    return {function.definition.signature.name: function for function in functions}


def _nodes(entries: Sequence[Json], weights: Container[str]) -> list[Node]:
    """The nodes. Nodes of one op with attributes of the same spelling share them, so that they are read once."""
    kinds: dict[tuple[str, bytes], dict[str, AttrValue]] = {}
    nodes = []
    for entry in entries:
        name = fields.text(entry, "name", "")
        with within(f"node {name!r}"):
            op, attrs = fields.text(entry, "op", ""), fields.table(entry, "attr")
            if op == "Const" and name in weights:
                attrs = {key: value for key, value in attrs.items() if key == "dtype"}  # the weight is the value
            # Attributes may be in any order. Version 0, as version 1 and later write interned strings differently.
            spelled = (op, marshal.dumps(sorted(attrs.items()), 0))
            kind = kinds.get(spelled)
            if kind is None:
                kind = kinds[spelled] = _attrs(op, attrs)
            nodes.append(Node(op, name, tuple(fields.texts(entry, "input")), kind))
    return nodes


def _attrs(op: str, entries: Json) -> dict[str, AttrValue]:
    """The attributes of a node."""
    # Private attributes (`_class`, `_output_shapes`, …) are for the program that wrote the graph.
    row = ops.table().get(op)
    known = entries.keys() if row is None else row.attrs.keys() | row.aliases.keys()
    attrs = read_attrs({key: value for key, value in entries.items() if key[:1] != "_" and key in known})
    tidy(op, attrs)
    return attrs


def _join(nodes: Sequence[Node], weights: Mapping[str, Weight], arguments: Mapping[str, DType] = {}) -> Graph:
    """The graph of nodes and weights; each weight is cast to the dtype of its Const.

    The converter writes int64 as int32 and float64 as float32 into the file, and leaves the node's attribute as it was
    (tfjs-converter/python/tensorflowjs/write_weights.py).
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
    """One function; the references in its body are spelled as those in a graph."""
    header = fields.table(entry, "signature")
    name = fields.text(header, "name", "")
    with within(f"function {name!r}"):
        signature = _function_signature(name, header)
        arguments = {argument.name: DType(argument.type) for argument in signature.input_arg}
        results = {output: fields.of(str, value, "a result") for output, value in fields.table(entry, "ret").items()}
        own = _Own(name, weights)
        listed = _shortened(_nodes(fields.tables(entry, "nodeDef"), own), f"{name}/", arguments.keys())
        read = [*chain.from_iterable(node.input for node in listed), *results.values()]
        unlisted = _unlisted_constants(name, read, {node.name for node in listed} | arguments.keys(), weights)
        names = _Names(name, [*listed, *unlisted], arguments.keys())
        nodes = names.nodes
        returns = {output: names.tensor(reference) for output, reference in results.items()}
        return Function(FunctionDef(signature=signature), _join(nodes, own, arguments), returns)


def _shortened(nodes: Sequence[Node], prefix: str, arguments: Set[str]) -> list[Node]:
    """The nodes, whose names lose `prefix` unless another node or argument has the shorter name.

    The converter puts the function's name before the names of constants. TensorFlow refuses names that begin with
    `_`, as those of its functions do (`__inference_…`).
    """
    taken = {node.name for node in nodes} | arguments
    short = {node.name: node.name.removeprefix(prefix) for node in nodes}
    return [node if short[node.name] in taken else node._replace(name=short[node.name]) for node in nodes]


class _Own(Mapping[str, Weight]):
    """The weights by their names inside a function: `<function>/<constant>` is also `<constant>`.

    A view, as a copy of all weights for each of thousands of functions would take long.
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
    """Name, arguments and results. TensorFlow.js ignores control outputs (`controlRet`)."""
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


def _unlisted_constants(
    function: str, references: Sequence[str], present: Set[str], weights: Mapping[str, Weight]
) -> Iterator[Node]:
    """Const nodes that the body reads and does not list, from their weights.

    The converter writes a branch that returns a constant without nodes: its result is `c:output:0`, and the weight is
    named `<function>/c`.
    """
    wanted = {Tensor.parse(reference.partition(":")[0]).node for reference in references}
    for name in sorted(wanted - present):
        qualified = f"{function}/{name}"
        if qualified in weights and qualified not in present:
            yield Node("Const", name).having(dtype=weights[qualified].dtype)


class _Names:
    """The names in a function's body.

    The converter renames a constant to `<function>/<name>`, but not always also where it is read, or the reverse:
    either spelling finds the node.
    """

    def __init__(self, function: str, nodes: Sequence[Node], arguments: Set[str]) -> None:
        self._prefix = f"{function}/"
        self._listed = nodes
        self._by_name = {node.name: node for node in nodes}
        self._known = self._by_name.keys() | arguments

    @property
    def nodes(self) -> list[Node]:
        """The nodes, their inputs spelled as in a graph."""
        return [node._replace(input=tuple(str(self.tensor(each)) for each in node.input)) for node in self._listed]

    def tensor(self, reference: str) -> Tensor:
        """The tensor behind `arg`, `node:output:index` or `^node`."""
        caret = "^" if reference.startswith("^") else ""
        name, colon, port = reference.removeprefix("^").partition(":")
        found = next((spelled for spelled in self._spellings(name) if spelled in self._known), None)
        tensor = ops.read_tensor(f"{caret}{found}{colon}{port}", self._by_name)
        if tensor.node != found:
            raise ConversionError("the function has no such tensor", found=reference)
        return tensor

    def _spellings(self, name: str) -> tuple[str, ...]:
        return name, self._prefix + name, name.removeprefix(self._prefix)
