"""The signature by which TensorFlow.js itself would call the model.

`loadWithWeightMap` in tfjs-converter/src/executor/graph_model.ts: `userDefinedMetadata.signature`,
else `signature`, else none; without inputs all Placeholders count, without outputs the nodes that
nobody reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from bundler import ops
from bundler.dtypes import DType
from bundler.model import Graph, Signature, TensorSpec
from bundler.nodes import Tensor, attr, shape_of
from bundler.protos import NodeDef, TensorShapeProto
from bundler.tfjs.topology import read_shape

__all__ = ["read_signature"]

Json: TypeAlias = Mapping[str, Any]


def read_signature(document: Json, graph: Graph) -> Signature:
    """The effective signature; what names a node that is not there (freezing removes some) is left out."""
    metadata = document.get("userDefinedMetadata") or {}
    declared = metadata.get("signature") or document.get("signature") or {}
    inputs = dict(_entries(declared.get("inputs") or {}, graph)) or dict(_placeholders(graph))
    outputs = dict(_entries(declared.get("outputs") or {}, graph)) or dict(_unread(graph))
    return Signature(_short(inputs), _structured(_short(outputs), metadata.get("structuredOutputKeys")))


def _entries(declared: Json, graph: Graph) -> Iterator[tuple[str, TensorSpec]]:
    for key in sorted(declared):
        entry = declared[key]
        tensor = Tensor.parse(entry.get("name") or key)
        if tensor.node in graph.by_name:
            yield key, _with_facts(_declared(entry, tensor), graph.by_name[tensor.node])


def _declared(entry: Json, tensor: Tensor) -> TensorSpec:
    """What a TensorInfo says; it may lack anything but the name."""
    dtype = DType.parse(entry["dtype"]) if entry.get("dtype") else None
    shape = shape_of(read_shape(entry["tensorShape"])) if "tensorShape" in entry else None
    return TensorSpec(tensor, dtype, shape)


def _with_facts(spec: TensorSpec, node: NodeDef) -> TensorSpec:
    """The node's own dtype goes before the signature's; a Placeholder's shape fills in for a missing one."""
    dtype = ops.output_dtype(node, spec.tensor.port) or spec.dtype
    shape = spec.shape
    if shape is None and node.op == "Placeholder":
        known = attr(node, "shape")
        # No dimensions mean "nobody said" here: a scalar is not told from an unknown shape.
        shape = shape_of(known) if isinstance(known, TensorShapeProto) and known.dim else None
    return TensorSpec(spec.tensor, dtype, shape)


def _placeholders(graph: Graph) -> Iterator[tuple[str, TensorSpec]]:
    for node in graph.nodes:
        if node.op.startswith("Placeholder"):
            yield node.name, _with_facts(TensorSpec(Tensor(node.name)), node)


def _unread(graph: Graph) -> Iterator[tuple[str, TensorSpec]]:
    for node in graph.nodes:
        if node.name not in graph.consumers:
            yield node.name, _with_facts(TensorSpec(Tensor(node.name)), node)


def _short(entries: dict[str, TensorSpec]) -> dict[str, TensorSpec]:
    """Keys without a trailing `:0`, which says nothing, where they stay unique."""
    count = Counter(key.removesuffix(":0") for key in entries)
    return {
        key.removesuffix(":0") if count[key.removesuffix(":0")] == 1 else key: spec for key, spec in entries.items()
    }


def _structured(outputs: dict[str, TensorSpec], keys: list[str] | None) -> dict[str, TensorSpec]:
    """The names that the outputs had in the original model.

    The converter writes them sorted, and the outputs as `Identity`, `Identity_1`, …: number n has key n.
    """
    if not keys or len(keys) != len(outputs):
        return outputs
    ordered = sorted(outputs.values(), key=lambda spec: _number(spec.tensor))
    return dict(zip(sorted(keys), ordered))


def _number(tensor: Tensor) -> int:
    _, _, number = tensor.node.rpartition("_")
    return int(number) if number.isdecimal() else 0
