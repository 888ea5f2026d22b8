"""Half precision (float16 and bfloat16), which TensorFlow.js computes in float32."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace

import numpy as np

from bundler.ir.dtypes import HALVES, DType
from bundler.ir.fresh import FreshNames
from bundler.ir.model import Function, Graph, Model, TensorSpec
from bundler.ir.nodes import Node, Tensor, attr, new_node
from bundler.ir.protos import AttrValue, FunctionDef, TensorProto

__all__ = ["compute_in_float32"]

_FLOAT = AttrValue(type=DType.float32)


def compute_in_float32(model: Model) -> Model:
    """Compute in float32 between those inputs and outputs that signatures declare half, which stay half.

    The converter folds batch norms into convolutions of half precision and leaves their offsets in float32, which
    TensorFlow refuses. TensorFlow.js ignores `T` and maps DT_HALF to float32 (`parseDtypeParam` in
    tfjs-converter/src/operations/operation_mapper.ts).

    Before:
        y = Cast(x, SrcT=float32, DstT=float16)
        z = AddV2(y, b, T=float16)
    After:
        y = Cast(x, SrcT=float32, DstT=float32)
        z = AddV2(y, b, T=float32)
    """
    if not _has_halves(model):
        return model
    declared = {spec.tensor.node for key in model.signatures.values() for spec in key.inputs.values() if _is_half(spec)}
    wide = _Wide(declared)
    made = replace(
        model,
        graph=wide.graph(model.graph),
        functions={name: wide.function(function) for name, function in model.functions.items()},
    )
    return _narrow_outputs(made).noting(["half precision is computed in float32, as in TensorFlow.js"])


def _has_halves(model: Model) -> bool:
    sets = {id(node.attr): node.attr for graph in model.graphs for node in graph.nodes}  # nodes share attributes
    return any(_widened(value) is not value for attrs in sets.values() for value in attrs.values())


class _Wide:
    """Graphs with float32 in place of half precision."""

    def __init__(self, inputs: Container[str]) -> None:
        self._inputs = inputs  # Placeholders that stay half
        self._attrs: dict[int, tuple[Mapping[str, AttrValue], Mapping[str, AttrValue]]] = {}  # nodes share them

    def graph(self, graph: Graph) -> Graph:
        half = [node.name for node in graph.nodes if _is_half_input(node) and node.name in self._inputs]
        fresh = FreshNames(graph.by_name)
        casts = {name: fresh(f"{name}/float32") for name in half}
        weights = {
            name: weight.cast(DType.float32) if weight.dtype in HALVES else weight
            for name, weight in graph.weights.items()
        }
        return Graph(tuple(new for node in graph.nodes for new in self._nodes(node, casts)), weights)

    def function(self, function: Function) -> Function:
        definition = FunctionDef()
        definition.CopyFrom(function.definition)
        for argument in (*definition.signature.input_arg, *definition.signature.output_arg):
            if argument.type in HALVES:
                argument.type = DType.float32.value
        return replace(function, definition=definition, graph=self.graph(function.graph))

    def _nodes(self, node: Node, casts: Mapping[str, str]) -> Iterator[Node]:
        if node.name in casts:
            yield node
            yield new_node("Cast", casts[node.name], [node.name], SrcT=attr(node, "dtype"), DstT=DType.float32)
            return
        if casts and any(Tensor.parse(reference).node in casts for reference in node.input):
            node = node.reading(lambda tensor: tensor if tensor.is_control else _moved(tensor, casts))
        yield node._replace(attr=self._wide(node.attr))

    def _wide(self, attrs: Mapping[str, AttrValue]) -> Mapping[str, AttrValue]:
        known = self._attrs.get(id(attrs))
        if known is None:
            changed = {key: new for key, value in attrs.items() if (new := _widened(value)) is not value}
            known = self._attrs[id(attrs)] = (attrs, {**attrs, **changed} if changed else attrs)
        return known[1]


def _is_half_input(node: Node) -> bool:
    return node.op == "Placeholder" and attr(node, "dtype") in HALVES


def _moved(tensor: Tensor, names: Mapping[str, str]) -> Tensor:
    return tensor._replace(node=names.get(tensor.node, tensor.node))


def _is_half(spec: TensorSpec) -> bool:
    return spec.dtype in HALVES


def _widened(value: AttrValue) -> AttrValue:
    """The same attribute with float32 for half precision; itself if it has none."""
    if value.type in HALVES:
        return _FLOAT
    if value.tensor.dtype in HALVES:
        return AttrValue(tensor=_wide_tensor(value.tensor))
    if any(kind in HALVES for kind in value.list.type):
        return AttrValue(list={"type": [DType.float32.value if kind in HALVES else kind for kind in value.list.type]})
    return value


def _wide_tensor(tensor: TensorProto) -> TensorProto:
    """A constant's value in float32. One without content, whose value is a weight's or missing, stays without."""
    bits = np.frombuffer(tensor.tensor_content, "<u2") if tensor.tensor_content else np.array(tensor.half_val, "<u2")
    values = bits.view("<f2") if tensor.dtype == DType.float16 else (bits.astype("<u4") << 16).view("<f4")
    made = TensorProto(dtype=DType.float32.value, tensor_shape=tensor.tensor_shape)
    if tensor.tensor_content:
        made.tensor_content = values.astype("<f4").tobytes()
    made.float_val.extend(() if tensor.tensor_content else values.tolist())
    return made


def _narrow_outputs(model: Model) -> Model:
    """The model with casts to the outputs of half precision. Inputs that are not Placeholders become float32."""
    graph, casts, fresh = model.graph, dict[Tensor, Node](), FreshNames(model.graph.by_name)

    def cast(spec: TensorSpec) -> TensorSpec:
        if not _is_half(spec) or _is_half_input(graph.by_name[spec.tensor.node]):
            return spec
        if spec.tensor not in casts:
            types = {"SrcT": DType.float32, "DstT": spec.dtype}
            casts[spec.tensor] = new_node(
                "Cast", fresh(f"{spec.tensor.node}/{spec.dtype}"), [str(spec.tensor)], **types
            )
        return replace(spec, tensor=Tensor(casts[spec.tensor].name))

    def fed(spec: TensorSpec) -> TensorSpec:
        half = _is_half(spec) and not _is_half_input(graph.by_name[spec.tensor.node])
        return replace(spec, dtype=DType.float32) if half else spec

    signatures = {
        key: replace(
            signature,
            inputs={name: fed(spec) for name, spec in signature.inputs.items()},
            outputs={name: cast(spec) for name, spec in signature.outputs.items()},
        )
        for key, signature in model.signatures.items()
    }
    return replace(model, graph=replace(graph, nodes=(*graph.nodes, *casts.values())), signatures=signatures)
