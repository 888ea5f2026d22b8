"""Inputs of 64-bit integers, which TensorFlow.js does not have, become inputs of 32-bit integers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bundler import ops
from bundler.ir.dtypes import DType
from bundler.ir.model import Model, TensorSpec
from bundler.ir.nodes import Node, Tensor, attr, free_name, new_node

__all__ = ["narrow_int64"]

_EITHER = {"Cast": "SrcT", "Gather": "Tindices", "GatherNd": "Tindices", "GatherV2": "Tindices", "OneHot": "TI"}
"""Ops that take integers of either width at one place, whatever the rest of them is; and the attribute that tells."""


def narrow_int64(model: Model) -> Model:
    """Take int32 where callers give int64, and cast it for the ops that insist.

    The values inside the graph stay what they were: TensorFlow.js writes int64 weights as int32, and the nodes that
    hold them say int64 all the same.

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
    wide = {name: free_name(f"{name}/int64", nodes) for name, given in nodes.items() if _is_wide(given)}
    if not wide:
        return model
    made = tuple(new for given in model.graph.nodes for new in _narrowed(given, wide))

    def narrowed(spec: TensorSpec) -> TensorSpec:
        return replace(spec, dtype=DType.int32) if spec.tensor.node in wide else spec

    narrow = replace(model, graph=replace(model.graph, nodes=made)).map_signatures(narrowed)
    return narrow.noting([f"inputs take int32 in place of int64: {', '.join(sorted(wide))}"])


def _is_wide(given: Node) -> bool:
    return given.op == "Placeholder" and bool(attr(given, "dtype") == DType.int64)


def _narrowed(given: Node, wide: Mapping[str, str]) -> Iterator[Node]:
    """The node, reading casts of the wide inputs; such an input with its cast."""
    if given.name in wide:
        yield given.having(dtype=DType.int32)
        yield new_node("Cast", wide[given.name], [given.name], SrcT=DType.int32, DstT=DType.int64)
        return
    for index, tensor in enumerate(map(Tensor.parse, given.input)):
        if tensor.node in wide and not tensor.is_control:
            free = _EITHER.get(given.op)
            if free and ops.table()[given.op].inputs[index].kind == free:
                given = given.having(**{free: DType.int32})
            else:
                given = given._replace(input=(*given.input[:index], wide[tensor.node], *given.input[index + 1 :]))
    yield given
