"""`modelTopology` and `modelInitializer` of a model.json: from JSON to nodes and functions.

The JSON is protobuf's own form of a GraphDef (camelCase keys, int64 as strings, bytes in base64), with
the liberties that TensorFlow.js allows: see `operation_mapper.ts` in tfjs-converter/src/operations.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Set
from typing import Any

from bundler import ops
from bundler.dtypes import DType
from bundler.errors import ConversionError, within
from bundler.model import Function, Graph
from bundler.nodes import Tensor, attr
from bundler.protos import AttrValue, FunctionDef, NameAttrList, NodeDef, OpDef, TensorProto, TensorShapeProto
from bundler.tfjs import fields
from bundler.tfjs.attributes import derive, tidy
from bundler.tfjs.edges import check_edges
from bundler.tfjs.fields import Json
from bundler.weight import Weight

__all__ = ["read_dtype", "read_functions", "read_graph", "read_shape"]


def read_graph(topology: Json, weights: Mapping[str, Weight]) -> Graph:
    """The main graph. ConversionError where a node is not what a GraphDef can hold."""
    return _join([_node(entry) for entry in fields.tables(topology, "node")], weights)


def read_functions(topology: Json, weights: Mapping[str, Weight]) -> dict[str, Function]:
    """The function library, by name."""
    entries = fields.tables(fields.table(topology, "library"), "function")
    functions = [_function(entry, weights) for entry in entries]
    return {function.definition.signature.name: function for function in functions}


def _node(entry: Json) -> NodeDef:
    """One node. Its device goes: it is where the converter ran, not where the user will."""
    name = fields.text(entry, "name", "")
    with within(f"node {name!r}"):
        node = NodeDef(name=name, op=fields.text(entry, "op", ""), input=fields.texts(entry, "input"))
        # Private attributes (`_class`, `_output_shapes`, …) speak of the program that wrote the graph.
        _read_attrs({key: value for key, value in fields.table(entry, "attr").items() if key[:1] != "_"}, node.attr)
        tidy(node)
        return node


def _join(nodes: list[NodeDef], weights: Mapping[str, Weight], arguments: Mapping[str, DType] = {}) -> Graph:
    """Nodes and weights become a graph: each weight is cast to what its Const says it is.

    The file's dtype is not the graph's: the converter writes int64 as int32 and float64 as float32,
    and leaves the node's own attribute as it was.
    """
    found: dict[str, Weight] = {}
    for node in nodes:
        weight = weights.get(node.name) if node.op == "Const" else None
        if weight is not None:
            if not isinstance(attr(node, "dtype"), DType):
                node.attr["dtype"].type = weight.dtype
            with within(f"node {node.name!r}"):
                found[node.name] = weight.cast(attr(node, "dtype"))
    derive(nodes, arguments)
    graph = Graph(tuple(nodes), found)
    check_edges(graph, arguments)
    return graph


# Functions ---------------------------------------------------------------------------------------


def _function(entry: Json, weights: Mapping[str, Weight]) -> Function:
    """One function, its inputs written as in a graph."""
    definition = FunctionDef()
    with within("a function's signature"):
        _read_message(fields.table(entry, "signature"), definition.signature)
    definition.signature.ClearField("control_output")
    name = definition.signature.name
    with within(f"function {name!r}"):
        nodes = [_node(node) for node in fields.tables(entry, "nodeDef")]
        arguments = {argument.name: _argument_dtype(argument) for argument in definition.signature.input_arg}
        results = {output: fields.of(str, value, "a result") for output, value in fields.table(entry, "ret").items()}
        references = [*(reference for node in nodes for reference in node.input), *results.values()]
        nodes += _missing_constants(name, references, {node.name for node in nodes} | arguments.keys(), weights)
        names = _Names(name, {node.name: node for node in nodes}, arguments.keys())
        for node in nodes:
            node.input[:] = [str(names.tensor(reference)) for reference in node.input]
        returns = {output: names.tensor(reference) for output, reference in results.items()}
        return Function(definition, _join(nodes, weights, arguments), returns)


def _argument_dtype(argument: OpDef.ArgDef) -> DType:
    with within(f"argument {argument.name!r}"):
        return read_dtype(argument.type)


def _missing_constants(
    function: str, references: list[str], present: set[str], weights: Mapping[str, Weight]
) -> Iterator[NodeDef]:
    """Const nodes that only their weights tell of.

    A branch that returns a constant is written without nodes: its result points at `c:output:0`, and the
    weight is named `<function>/c`.
    """
    wanted = {Tensor.parse(reference.split(":")[0]).node for reference in references}
    for name in sorted(wanted - present):
        qualified = f"{function}/{name}"
        if qualified in weights and qualified not in present:
            node = NodeDef(name=qualified, op="Const")
            node.attr["dtype"].type = weights[qualified].dtype
            yield node


class _Names:
    """What the names in a function's body mean.

    The converter renames constants to `<function>/<name>` but not always where they are read, or the
    reverse: either spelling finds the node.
    """

    def __init__(self, function: str, nodes: Mapping[str, NodeDef], arguments: Set[str]) -> None:
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


# Attributes --------------------------------------------------------------------------------------


def read_shape(entry: object) -> TensorShapeProto:
    """A shape. A dimension of size 0 is written as an empty object."""
    shape = fields.of(dict, entry, "a shape")
    if shape.get("unknownRank"):
        return TensorShapeProto(unknown_rank=True)
    sizes = [fields.integer(dim.get("size", 0)) for dim in fields.tables(shape, "dim")]
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])


def read_dtype(spelled: object) -> DType:
    """A dtype, by its name (`DT_FLOAT`) or number."""
    try:
        return DType.parse(spelled if isinstance(spelled, (str, int)) else repr(spelled))
    except ValueError as error:
        raise ConversionError(str(error)) from None


def _read_attrs(entries: Json, into: MutableMapping[str, AttrValue]) -> None:
    for key, entry in entries.items():
        with within(f"attribute {key!r}"):
            if fields.of(dict, entry, "its value"):
                _read_attr(entry, into[key])


def _read_attr(entry: Json, into: AttrValue) -> None:
    if "list" in entry:
        into.list.SetInParent()
        for slot, items in fields.table(entry, "list").items():
            read = _reader(slot)
            getattr(into.list, slot).extend([read(item) for item in fields.of(list, items, repr(slot))])
        return
    for slot, value in entry.items():
        made = _reader(slot)(value)
        if slot in ("shape", "tensor", "func"):
            getattr(into, slot).CopyFrom(made)
        else:
            setattr(into, slot, made)


def _reader(slot: str) -> Callable[[Any], Any]:
    if slot not in _READERS:
        raise ConversionError(f"{slot!r} is no kind of attribute", expected=", ".join(_READERS))
    return _READERS[slot]


def _bytes(spelled: object) -> bytes:
    """Base64, or in old models a list of character codes; an empty list is an empty string."""
    try:
        if isinstance(spelled, str):
            # As lenient as protobuf: both alphabets, and the padding may be missing.
            encoded = spelled.translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
            return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        return bytes(fields.of(list, spelled, "a string"))
    except (TypeError, ValueError):
        raise ConversionError("a string is neither base64 nor a list of bytes", found=str(spelled)[:60]) from None


def _tensor(entry: object) -> TensorProto:
    """A tensor of an attribute; that of a Const has no content, which is among the weights."""
    tensor = fields.of(dict, entry, "a tensor")
    dtype = read_dtype(tensor["dtype"]) if tensor.get("dtype") else None
    shape = read_shape(fields.table(tensor, "tensorShape"))
    made = TensorProto()
    if not tensor.keys() <= {"dtype", "tensorShape", "versionNumber"}:
        _read_message({key: value for key, value in tensor.items() if key not in ("dtype", "tensorShape")}, made)
    made.MergeFrom(TensorProto(dtype=dtype, tensor_shape=shape))
    return made


def _function_name(entry: object) -> NameAttrList:
    function = fields.of(dict, entry, "a function")
    made = NameAttrList(name=fields.text(function, "name"))
    _read_attrs(fields.table(function, "attr"), made.attr)
    return made


def _read_message(entry: Json, into: Any) -> None:
    """Any message, by protobuf's own reader: right for the few that are not worth a reader here."""
    from google.protobuf import json_format

    try:
        json_format.ParseDict(entry, into, ignore_unknown_fields=True)
    except json_format.ParseError as error:
        raise ConversionError("is not what protobuf can hold", found=str(error)) from None


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "s": _bytes,
    "i": fields.integer,
    "f": fields.number,
    "b": lambda value: fields.of(bool, value, "a truth value"),
    "type": read_dtype,
    "shape": read_shape,
    "tensor": _tensor,
    "func": _function_name,
}
