"""`modelTopology` and `modelInitializer` of a model.json: from JSON to nodes and functions.

The JSON is protobuf's own form of a GraphDef (camelCase keys, int64 as strings, bytes in base64), with
the liberties that TensorFlow.js allows: see `operation_mapper.ts` in tfjs-converter/src/operations.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Set
from typing import Any, TypeAlias

from bundler import ops
from bundler.dtypes import DType
from bundler.errors import ConversionError, within
from bundler.model import Function, Graph
from bundler.nodes import Tensor
from bundler.protos import AttrValue, FunctionDef, NameAttrList, NodeDef, TensorProto, TensorShapeProto
from bundler.tfjs.attributes import tidy
from bundler.weight import Weight

__all__ = ["read_functions", "read_graph", "read_shape"]

Json: TypeAlias = Mapping[str, Any]


def read_graph(topology: Json, weights: Mapping[str, Weight]) -> Graph:
    """The main graph. ConversionError where a node is not what a GraphDef can hold."""
    return _join([_node(entry) for entry in topology.get("node") or ()], weights)


def read_functions(topology: Json, weights: Mapping[str, Weight]) -> dict[str, Function]:
    """The function library, by name."""
    entries = (topology.get("library") or {}).get("function") or ()
    functions = [_function(entry, weights) for entry in entries]
    return {function.definition.signature.name: function for function in functions}


def _node(entry: Json) -> NodeDef:
    """One node. Its device goes: it is where the converter ran, not where the user will."""
    name = entry.get("name", "")
    with within(f"node {name!r}"):
        node = NodeDef(name=name, op=entry.get("op", ""), input=entry.get("input") or ())
        for key, value in (entry.get("attr") or {}).items():
            # Private attributes (`_class`, `_output_shapes`, …) speak of the program that wrote the graph.
            if not key.startswith("_"):
                with within(f"attribute {key!r}"):
                    _read_attr(value, node.attr[key])
        return node


def _join(nodes: list[NodeDef], weights: Mapping[str, Weight], arguments: Mapping[str, DType] | None = None) -> Graph:
    """Nodes and weights become a graph: each weight is cast to what its Const says it is.

    The file's dtype is not the graph's: the converter writes int64 as int32 and float64 as float32,
    and leaves the node's own attribute as it was.
    """
    found: dict[str, Weight] = {}
    for node in nodes:
        weight = weights.get(node.name) if node.op == "Const" else None
        if weight is not None:
            if "dtype" not in node.attr:
                node.attr["dtype"].type = weight.dtype
            found[node.name] = weight.cast(DType(node.attr["dtype"].type))
    tidy(nodes, arguments or {})
    return Graph(tuple(nodes), found)


# Functions ---------------------------------------------------------------------------------------


def _function(entry: Json, weights: Mapping[str, Weight]) -> Function:
    """One function, its inputs written as in a graph."""
    definition = FunctionDef()
    _read_message(entry["signature"], definition.signature)
    definition.signature.ClearField("control_output")
    name = definition.signature.name
    with within(f"function {name!r}"):
        nodes = [_node(node) for node in entry.get("nodeDef") or ()]
        arguments = {argument.name: DType(argument.type) for argument in definition.signature.input_arg}
        references = [*(reference for node in nodes for reference in node.input), *entry.get("ret", {}).values()]
        nodes += _missing_constants(name, references, {node.name for node in nodes} | arguments.keys(), weights)
        names = _Names(name, {node.name: node for node in nodes}, arguments.keys())
        for node in nodes:
            node.input[:] = [str(names.tensor(reference)) for reference in node.input]
        returns = {output: names.tensor(reference) for output, reference in entry.get("ret", {}).items()}
        return Function(definition, _join(nodes, weights, arguments), returns)


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
        if found is None:
            raise ConversionError(f"input {reference!r} is nowhere in the function")
        return ops.read_tensor(f"{caret}{found}{colon}{port}", self._nodes)

    def _spellings(self, name: str) -> tuple[str, ...]:
        return name, self._prefix + name, name.removeprefix(self._prefix)


# Attributes --------------------------------------------------------------------------------------


def read_shape(entry: Json) -> TensorShapeProto:
    """A shape. A dimension of size 0 is written as an empty object."""
    if entry.get("unknownRank"):
        return TensorShapeProto(unknown_rank=True)
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=int(dim.get("size", 0))) for dim in entry.get("dim") or ()])


def _read_attr(entry: Json, into: AttrValue) -> None:
    if "list" in entry:
        into.list.SetInParent()
        for slot, items in entry["list"].items():
            getattr(into.list, slot).extend([_READERS[slot](item) for item in items])
        return
    for slot, value in entry.items():
        read = _READERS.get(slot)
        if read is None:
            raise ConversionError(f"{slot!r} is no kind of attribute", expected=", ".join(_READERS))
        if slot in ("shape", "tensor", "func"):
            getattr(into, slot).CopyFrom(read(value))
        else:
            setattr(into, slot, read(value))


def _bytes(text: str | list[int]) -> bytes:
    """Base64, or in old models a list of character codes; an empty list is an empty string."""
    return base64.b64decode(text) if isinstance(text, str) else bytes(text)


def _tensor(entry: Json) -> TensorProto:
    """A tensor of an attribute; that of a Const has no content, which is among the weights."""
    if entry.keys() <= {"dtype", "tensorShape", "versionNumber"}:
        return TensorProto(dtype=_dtype(entry.get("dtype", 0)), tensor_shape=read_shape(entry.get("tensorShape") or {}))
    made = TensorProto()
    _read_message(entry, made)
    return made


def _function_name(entry: Json) -> NameAttrList:
    made = NameAttrList(name=entry["name"])
    for key, value in (entry.get("attr") or {}).items():
        _read_attr(value, made.attr[key])
    return made


def _dtype(spelled: str | int) -> int:
    try:
        return DType.parse(spelled).value if spelled else 0
    except ValueError as error:
        raise ConversionError(str(error)) from None


def _read_message(entry: Json, into: Any) -> None:
    """Any message, by protobuf's own reader: right for the few that are not worth a reader here."""
    from google.protobuf import json_format

    json_format.ParseDict(entry, into, ignore_unknown_fields=True)


_READERS: Mapping[str, Any] = {
    "s": _bytes,
    "i": int,
    "f": float,
    "b": bool,
    "type": _dtype,
    "shape": read_shape,
    "tensor": _tensor,
    "func": _function_name,
    "placeholder": str,
}
