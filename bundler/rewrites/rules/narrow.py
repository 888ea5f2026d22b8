"""Inputs of 64-bit integers, a dtype that TensorFlow.js lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bundler import ops
from bundler.ir.dtypes import DType
from bundler.ir.model import Model, TensorSpec
from bundler.ir.nodes import Node, Tensor, attr, free_name, new_node

__all__ = ["narrow_int64"]

_EITHER = {"Cast": "SrcT", "Gather": "Tindices", "GatherNd": "Tindices", "GatherV2": "Tindices", "OneHot": "TI"}
"""Ops that accept integers of either width for one input, and the attribute that holds its dtype."""


def narrow_int64(model: Model) -> Model:
    """Accept int32 from callers in place of int64, and cast it for the ops that need int64.

    Other nodes keep their dtypes. The converter writes int64 weights as int32 values in nodes of int64.

    Before:
        x = Placeholder(dtype=int64)
        y = GatherV2(w, x, axis, Tindices=int64)
        z = AddV2(x, v, T=int64)
    After:
        x = Placeholder(dtype=int32)
        x/int64 = Cast(x, SrcT=int32, DstT=int64)
        y = GatherV2(w, x, axis, Tindices=int32)
        z = AddV2(x/int64, v, T=int64)
    """
    nodes = model.graph.by_name
    wide = {name: free_name(f"{name}/int64", nodes) for name, node in nodes.items() if _is_wide(node)}
    if not wide:
        return model
    made = tuple(new for node in model.graph.nodes for new in _narrowed(node, wide))

    def narrowed(spec: TensorSpec) -> TensorSpec:
        return replace(spec, dtype=DType.int32) if spec.tensor.node in wide else spec

    narrow = replace(model, graph=replace(model.graph, nodes=made)).map_signatures(narrowed)
    return narrow.noting([f"inputs take int32 in place of int64: {', '.join(sorted(wide))}"])


def _is_wide(node: Node) -> bool:
    return node.op == "Placeholder" and bool(attr(node, "dtype") == DType.int64)


def _narrowed(node: Node, wide: Mapping[str, str]) -> Iterator[Node]:
    """The node with casts of the wide inputs in place of these; such an input, and its cast."""
    if node.name in wide:
        yield node.having(dtype=DType.int32)
        yield new_node("Cast", wide[node.name], [node.name], SrcT=DType.int32, DstT=DType.int64)
        return
    for index, tensor in enumerate(map(Tensor.parse, node.input)):
        if tensor.node in wide and not tensor.is_control:
            free = _EITHER.get(node.op)
            if free and ops.table()[node.op].inputs[index].kind == free:
                node = node.having(**{free: DType.int32})
            else:
                node = node._replace(input=(*node.input[:index], wide[tensor.node], *node.input[index + 1 :]))
    yield node
