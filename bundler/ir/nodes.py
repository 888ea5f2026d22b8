"""One node of a graph: how it is made, read and shown.

A `Node` is TensorFlow's `NodeDef` as a plain value, in the main graph and in functions alike: it is shared between
models and never edited. Its attributes are TensorFlow's own messages, shared between nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.protos import AttrValue, NameAttrList, NodeDef, TensorProto, TensorShapeProto
from bundler.ir.shapes import element_count, shown

__all__ = [
    "Node",
    "Shape",
    "Tensor",
    "Value",
    "attr",
    "constant",
    "free_name",
    "inline_value",
    "new_node",
    "node_of",
    "port_of",
    "shape_of",
    "shape_proto",
    "short_names",
    "show",
    "tensor_proto",
]

_Entry = TypeVar("_Entry")
Shape: TypeAlias = tuple[int | None, ...]
"""Dimensions, each None if unknown. A tensor of unknown rank has None as its shape."""


_MOST_DIGITS = 9
"""Digits of a port. No node has so many outputs, and Python refuses to parse thousands of digits."""


def port_of(spelled: str) -> int | None:
    """The port that a text spells in decimal digits; None if it spells none."""
    is_number = spelled.isdecimal() and spelled.isascii() and len(spelled) <= _MOST_DIGITS
    return int(spelled) if is_number else None


class Tensor(NamedTuple):
    """A reference to one output of a node: `y:1` is `Tensor("y", 1)`, a control edge has port -1."""

    node: str
    port: int = 0

    @classmethod
    def parse(cls, reference: str) -> Tensor:
        """The tensor that `y`, `y:1` or `^y` refers to."""
        if reference.startswith("^"):
            return cls(reference[1:], -1)
        if ":" not in reference:
            return cls(reference)
        name, _, spelled = reference.rpartition(":")
        port = port_of(spelled)
        return cls(reference) if port is None or not name else cls(name, port)

    @property
    def is_control(self) -> bool:
        return self.port < 0

    def __str__(self) -> str:
        """The spelling of a node's input: `y`, `y:1`, `^y`."""
        if self.port < 0:
            return f"^{self.node}"
        return f"{self.node}:{self.port}" if self.port else self.node

    @property
    def full(self) -> str:
        """The spelling of a signature: `y:0`."""
        return f"{self.node}:{self.port}"


def node_of(reference: str) -> str:
    """The node of the tensor that a reference spells: most references are the name itself."""
    return reference if reference[:1] != "^" and ":" not in reference else str(Tensor.parse(reference).node)


class Node(NamedTuple):
    """A node: its op, its name, its inputs as they are spelled (`y`, `y:1`, `^y`), its attributes."""

    op: str
    name: str
    input: tuple[str, ...] = ()
    attr: Mapping[str, AttrValue] = MappingProxyType({})

    @classmethod
    def of(cls, message: NodeDef) -> Node:
        """The node that a NodeDef describes."""
        return cls(message.op, message.name, tuple(message.input), dict(message.attr))

    @property
    def message(self) -> NodeDef:
        """The same node as a NodeDef."""
        made = NodeDef(name=self.name, op=self.op, input=self.input)
        for key, value in self.attr.items():
            made.attr[key].CopyFrom(value)
        return made

    def reading(self, change: Callable[[Tensor], Tensor]) -> Node:
        """The same node with other inputs."""
        return self._replace(input=tuple(str(change(tensor)) for tensor in map(Tensor.parse, self.input)))

    def having(self, **attrs: Value) -> Node:
        """The same node with these attributes set; a value of None removes one."""
        given = {key: value for key, value in self.attr.items() if key not in attrs}
        return self._replace(attr={**given, **_attr_values(attrs)})


def free_name(name: str, taken: Container[str]) -> str:
    """The name with as few underscores after it as make it unlike all that are taken."""
    while name in taken:
        name += "_"
    return name


def short_names(entries: Mapping[str, _Entry]) -> dict[str, _Entry]:
    """Entries by tensor or key, without a trailing `:0` if names stay unique without it."""
    count = Counter(name.removesuffix(":0") for name in entries)
    names = (name.removesuffix(":0") if count[name.removesuffix(":0")] == 1 else name for name in entries)
    made = dict(zip(names, entries.values()))
    return made if len(made) == len(entries) else dict(entries)  # "y", "y:0" and "y:0:0" stay three


Value: TypeAlias = (
    "bool | int | float | str | bytes | DType | np.ndarray | Sequence[Value]"
    " | AttrValue | NameAttrList | TensorProto | TensorShapeProto | None"
)


def new_node(op: str, name: str, inputs: Iterable[str] = (), **attrs: Value) -> Node:
    """A new node. Attributes whose value is None are left out.

    A DType becomes a type, an array a tensor, a list a list; messages stay what they are. Raises TypeError for a value
    that is no attribute.
    """
    return Node(op, name, tuple(inputs), _attr_values(attrs))


def _attr_values(attrs: Mapping[str, Value]) -> Mapping[str, AttrValue]:
    """The attributes as messages. Nodes share a set of plain values: what is done for each set is done once."""
    values: Iterable[Any] = attrs.values()
    if _PLAIN.issuperset(map(type, values)):
        return _shared_set(tuple(attrs), *values)
    return {key: _attr_value(value) for key, value in attrs.items() if value is not None}


_PLAIN = frozenset({bool, int, str, DType, type(None)})


@lru_cache(1 << 10, typed=True)
def _shared_set(keys: tuple[str, ...], *values: bool | int | str | None) -> Mapping[str, AttrValue]:
    """One set for all nodes with these keys and values. Each value is an argument, so that its type counts."""
    return {key: _attr_value(value) for key, value in zip(keys, values) if value is not None}


def constant(name: str, value: np.ndarray, *, control: Iterable[str] = ()) -> Node:
    """A Const node with its value inside. `control` are names of nodes, without `^`, whose frame it stands in."""
    dtype = DType.parse(value.dtype.name)
    return new_node("Const", name, [f"^{name}" for name in control], dtype=dtype, value=value)


def attr(node: Node, key: str, default: Value = None) -> Any:
    """An attribute as a Python value, or `default` if the node lacks it. Its type is that of the op's definition."""
    value = node.attr.get(key)
    return default if value is None else _plain(value)


def show(node: Node, *attrs: str) -> str:
    """One node in the notation of the docs: `y = Conv2D(x, w, padding=SAME)`."""
    parts = [*node.input, *(f"{key}={_spell(attr(node, key))}" for key in attrs if key in node.attr)]
    return f"{node.name} = {node.op}({', '.join(parts)})"


def shape_of(proto: TensorShapeProto) -> Shape | None:
    """The shape in a message; None for an unknown rank."""
    return None if proto.unknown_rank else tuple(None if dim.size < 0 else dim.size for dim in proto.dim)


def shape_proto(shape: Shape | None) -> TensorShapeProto:
    """A shape as a message. A message without dimensions is a scalar, so an unknown rank has a field of its own."""
    if shape is None:
        return TensorShapeProto(unknown_rank=True)
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=-1 if size is None else size) for size in shape])


def tensor_proto(value: np.ndarray) -> TensorProto:
    """A TensorProto with the array's bytes, little-endian and row-major."""
    dtype = DType.parse(value.dtype.name)
    content = np.ascontiguousarray(value, dtype.numpy).tobytes()
    return TensorProto(dtype=dtype.value, tensor_shape=shape_proto(value.shape), tensor_content=content)


_OTHERS: tuple[tuple[type, str], ...] = (
    (float, "f"),
    (bytes, "s"),
    (TensorShapeProto, "shape"),
    (TensorProto, "tensor"),
    (NameAttrList, "func"),
)


def _attr_value(value: Value) -> AttrValue:
    if isinstance(value, AttrValue):
        return value
    if isinstance(value, (int, str)):
        return _shared(value)
    if isinstance(value, np.ndarray):
        value = tensor_proto(value)
    for kind, slot in _OTHERS:
        if isinstance(value, kind):
            return AttrValue(**{slot: value})
    if not isinstance(value, Sequence):
        raise TypeError(f"no attribute holds a {type(value).__name__}")
    made = AttrValue()
    made.list.SetInParent()
    for item in value:
        single = _attr_value(item)
        slot = single.WhichOneof("value") or ""
        getattr(made.list, slot).append(getattr(single, slot))
    return made


@lru_cache(1 << 10, typed=True)
def _shared(value: bool | int | str) -> AttrValue:
    """One message for all nodes with this value. True, 1 and float32 are equal in Python and have one each."""
    if isinstance(value, str):
        return AttrValue(s=value.encode(errors="surrogateescape"))
    if isinstance(value, bool):
        return AttrValue(b=value)
    return AttrValue(type=value) if isinstance(value, DType) else AttrValue(i=value)


_BY_NUMBER = {dtype.value: dtype for dtype in DType}


def _plain(value: AttrValue) -> Any:
    slot = value.WhichOneof("value")
    if slot != "list":
        return None if slot is None else _plain_item(slot, getattr(value, slot))
    return [_plain_item(field.name, item) for field, items in value.list.ListFields() for item in items]


def _plain_item(slot: str, item: Any) -> Any:
    if slot == "type":
        return _BY_NUMBER.get(item) or DType(item)  # calling the class takes three times as long
    return item.decode(errors="surrogateescape") if slot == "s" else item


def _spell(value: Value) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_spell, value))}]"
    if isinstance(value, TensorShapeProto):
        shape = shape_of(value)
        return "?" if shape is None else shown(shape)
    return str(value)


def inline_value(tensor: TensorProto) -> np.ndarray | None:
    """The array in a small TensorProto that holds its bytes; None for other spellings."""
    content, shape = tensor.tensor_content, [dim.size for dim in tensor.tensor_shape.dim]
    dtype = DType(tensor.dtype) if tensor.dtype else DType.variant
    elements = element_count(shape) if dtype.is_number and len(content) <= 1024 else None
    if elements is None or len(content) != elements * dtype.numpy.itemsize:
        return None
    return np.frombuffer(content, dtype.numpy).reshape(shape)
