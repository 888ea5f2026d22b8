"""A call of another signature: its nodes once more, reading what the caller feeds.

A Placeholder has one meaning, and each caller wants another. So a call gets nodes of its own; the weights behind them
are equal, and linking keeps each once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from bundler.drafting.sketch import Sketch
from bundler.drafting.value import Value
from bundler.encoding.graphdef import structure
from bundler.errors import Fault, ManifestError
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Node, Shape, Tensor, new_node, shape_proto
from bundler.ir.prune import prune
from bundler.ir.shapes import shown
from bundler.ir.weight import Weight
from bundler.link.scope import again
from bundler.manifest import Compat
from bundler.runtimes.failures import Failure
from bundler.steps.checks import type_of

__all__ = ["Called", "Given", "Shapes", "call"]

Shapes: TypeAlias = "Callable[[bytes, Sequence[str]], Sequence[tuple[DType, Shape | None]]]"
"""What TensorFlow infers of tensors of a serialized GraphDef."""
Given: TypeAlias = "Value | TensorSpec"
"""What a step gives: a value, or a tensor of an unknown rank, which can be an output and no more."""


class Called(NamedTuple):
    """The nodes and weights of a call, and what the signature gives."""

    nodes: tuple[Node, ...]
    weights: Mapping[str, Weight]
    outputs: tuple[Given, ...]


def call(model: Model, key: str, fed: Mapping[str, Value], scope: str, compat: Compat, shapes: Shapes) -> Called:
    """The signature `key` of a model, fed with values by the names of its inputs, in a scope.

    Raises ManifestError with a fault for each input that does not fit.
    """
    signature = model.signatures[key]
    faults = [fault for name, value in fed.items() for fault in _misfits(key, name, value, signature.inputs[name])]
    if faults:
        raise ManifestError.of(faults)
    alone = prune(replace(model, signatures={key: signature}, initializers=()))
    home = next(iter(fed.values())).home
    seams = [_Seam(signature.inputs[name], value, scope, compat) for name, value in fed.items()]
    graph = _fed(again(alone.graph, scope), seams)
    ends = {name: Tensor(f"{scope}/{spec.tensor.node}", spec.tensor.port) for name, spec in signature.outputs.items()}
    kept = prune(replace(alone, graph=graph, signatures={key: Signature({}, _specs(ends))})).graph
    try:
        found = _found(signature, ends, kept, seams, shapes, alone)
    except Failure as failure:
        fed_types = ", ".join(map(type_of, fed.values()))
        raise ManifestError(f"{key} cannot take this: {failure.fault.what}", found=fed_types) from failure
    return Called(kept.nodes, kept.weights, tuple(_value(ends[name], *found[name], home) for name in ends))


class _Seam:
    """An input of the signature, and the value that is fed."""

    def __init__(self, spec: TensorSpec, value: Value, scope: str, compat: Compat) -> None:
        node, port = spec.tensor
        self.tensor = Tensor(f"{scope}/{node}", port)
        self.node = f"{scope}/{node}" if port == 0 else f"{scope}/{node}/{port}"
        self._value = value
        self.shape = _common(value.shape, spec.shape)
        self.checks = compat == Compat.NONE and self.shape != value.shape

    def reading(self, source: str) -> Node:
        """The node that stands for the input. It checks the sizes that are known only when it runs."""
        dtype = self._value.dtype
        if self.checks:
            return new_node("EnsureShape", self.node, [source], T=dtype, shape=shape_proto(self.shape))
        return new_node("Identity", self.node, [source], T=dtype)

    @property
    def bridge(self) -> Node:
        """The node, reading the value."""
        return self.reading(self._value.reference)

    @property
    def placeholder(self) -> Node:
        """The node as an input of the same dtype and shape."""
        return new_node("Placeholder", self.node, dtype=self._value.dtype, shape=shape_proto(self.shape))


def _fed(graph: Graph, seams: Sequence[_Seam]) -> Graph:
    """The graph with nodes that read the fed values in place of its inputs."""
    bridges = {seam.tensor: seam.bridge for seam in seams}
    own = {bridge.name for bridge in bridges.values()}
    rest = (node for node in graph.nodes if node.name not in own)

    def moved(tensor: Tensor) -> Tensor:
        return Tensor(bridges[tensor].name) if tensor in bridges else tensor

    return Graph((*bridges.values(), *(node.reading(moved) for node in rest)), graph.weights)


def _specs(ends: Mapping[str, Tensor]) -> dict[str, TensorSpec]:
    return {name: TensorSpec(tensor) for name, tensor in ends.items()}


def _value(tensor: Tensor, dtype: DType, shape: Shape | None, home: Sketch) -> Given:
    return TensorSpec(tensor, dtype) if shape is None else Value(str(tensor), shape, dtype, home)


# Types -------------------------------------------------------------------------------------------

_Type: TypeAlias = "tuple[DType, Shape | None]"


def _found(
    signature: Signature,
    ends: Mapping[str, Tensor],
    graph: Graph,
    seams: Sequence[_Seam],
    shapes: Shapes,
    model: Model,
) -> Mapping[str, _Type]:
    """The dtype and shape of each output. TensorFlow is asked if the fed values know more than the signature does."""
    known: dict[str, _Type] = {name: (_dtype(spec), spec.shape) for name, spec in signature.outputs.items()}
    asked = (spec.shape for spec in signature.inputs.values())
    if all(_is_full(shape) for _, shape in known.values()) or all(
        seam.shape == shape for seam, shape in zip(seams, asked)
    ):
        return known
    inputs = {seam.node: seam.placeholder for seam in seams}
    nodes = tuple(inputs.get(node.name, node) for node in graph.nodes)
    inferred = shapes(
        structure(replace(model, graph=Graph(nodes, graph.weights), signatures={})), [ends[name].full for name in known]
    )
    return {name: (dtype, _more(shape, also)) for (name, (dtype, shape)), (_, also) in zip(known.items(), inferred)}


def _dtype(spec: TensorSpec) -> DType:
    if spec.dtype is None:
        raise AssertionError("linking infers the dtypes of signatures before they are called")
    return spec.dtype


def _is_full(shape: Shape | None) -> bool:
    return shape is not None and None not in shape


def _more(one: Shape | None, other: Shape | None) -> Shape | None:
    """What two descriptions of one shape know together; what they disagree about is unknown."""
    if one is None or other is None or len(one) != len(other):
        return other if one is None else one
    return tuple(b if a is None else a if b in (a, None) else None for a, b in zip(one, other))


def _common(fed: Shape, asked: Shape | None) -> Shape:
    """The shape of a fed value that fits an input."""
    return fed if asked is None else tuple(b if a is None else a for a, b in zip(fed, asked))


# What does not fit -------------------------------------------------------------------------------


def _misfits(key: str, name: str, value: Value, spec: TensorSpec) -> list[Fault]:
    expected = f"{spec.dtype}{'' if spec.shape is None else shown(spec.shape)}"
    if value.dtype != spec.dtype:
        hint = f'put {{ op = "cast", dtype = "{spec.dtype}" }} before it' if value.dtype.is_number else ""
        return [
            Fault(f"{key}: its input {name!r} has another dtype", found=type_of(value), expected=expected, hint=hint)
        ]
    if spec.shape is None or _fits(value.shape, spec.shape):
        return []
    hint = _remedy(value.shape, spec.shape)
    return [Fault(f"{key}: its input {name!r} has another shape", found=type_of(value), expected=expected, hint=hint)]


def _fits(found: Shape, expected: Shape) -> bool:
    return len(found) == len(expected) and all(a == b or None in (a, b) for a, b in zip(found, expected))


def _remedy(found: Shape, expected: Shape) -> str:
    """What makes a tensor fit."""
    if len(found) != len(expected):
        op, more = ("expand_dims", 1) if len(found) < len(expected) else ("squeeze", -1)
        return f'put {{ op = "{op}", axis = 0 }} before it' if len(expected) - len(found) == more else ""
    wrong = [axis for axis, (a, b) in enumerate(zip(found, expected)) if a != b and None not in (a, b)]
    if wrong == [len(found) - 1] and (found[-1], expected[-1]) == (3, 1):
        return "the last dimension differs: grayscale makes one channel of three"
    if len(found) == 4 and set(wrong) <= {1, 2}:
        return f'put {{ op = "resize_bilinear", size = {list(expected[1:3])} }} before it'
    return f"dimension {', '.join(map(str, wrong))} differs"
