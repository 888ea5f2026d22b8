"""The signature by which TensorFlow.js itself would call the model.

`loadWithWeightMap` in tfjs-converter/src/executor/graph_model.ts: `userDefinedMetadata.signature`, else `signature`,
else none. Without inputs it has all Placeholders, without outputs the nodes that no other node reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from bundler import ops
from bundler.errors import ConversionError, within
from bundler.ir.dtypes import HALVES, DType
from bundler.ir.model import Graph, Signature, TensorSpec
from bundler.ir.nodes import Node, Tensor, attr, shape_of, short_names
from bundler.ir.protos import TensorShapeProto
from bundler.tfjs import fields
from bundler.tfjs.fields import Json
from bundler.tfjs.values import read_dtype, read_shape

__all__ = ["declared_signature", "read_signature"]

_NO_DTYPE = (None, 0, "DT_INVALID")
_NUMBERED = re.compile("(?:.*/)?[Ii]dentity(?:_([0-9]{1,9}))?")
"""The outputs of a SavedModel, as the converter leaves them: `Identity`, `Identity_1`, …"""


def read_signature(document: Json, graph: Graph) -> Signature:
    """The effective signature, without entries for nodes that do not exist (freezing removes some).

    ConversionError if an entry is malformed.
    """
    declared = declared_signature(document)
    with within("signature"):
        inputs = dict(_entries(declared, "inputs", graph)) or dict(_placeholders(graph))
        outputs = dict(_entries(declared, "outputs", graph)) or dict(_unread(graph))
        names = fields.texts(fields.loose(document, "userDefinedMetadata"), "structuredOutputKeys")
        return Signature(short_names(inputs), _structured(short_names(outputs), names))


def declared_signature(document: Json) -> Json:
    """The signature in the file; empty if there is none."""
    metadata = fields.loose(document, "userDefinedMetadata")
    with within("signature"):
        return fields.table(metadata if metadata.get("signature") is not None else document, "signature")


def _entries(declared: Json, side: str, graph: Graph) -> Iterator[tuple[str, TensorSpec]]:
    for key, entry in sorted(fields.table(declared, side).items()):
        with within(f"{side} {key!r}"):
            spec = _declared(fields.of(dict, entry, "its value"), key)
            node = graph.by_name.get(spec.tensor.node)
            if node is not None:
                yield key, _with_facts(spec, node)


def _declared(entry: Json, key: str) -> TensorSpec:
    """The tensor of a TensorInfo, which may lack all but the name."""
    dtype = read_dtype(entry["dtype"]) if entry.get("dtype") not in _NO_DTYPE else None
    shape = shape_of(read_shape(entry["tensorShape"])) if entry.get("tensorShape") is not None else None
    return TensorSpec(Tensor.parse(fields.text(entry, "name", "") or key), dtype, shape)


def _with_facts(spec: TensorSpec, node: Node) -> TensorSpec:
    """The entry with the node's own dtype, and without a shape that of a Placeholder.

    TensorFlow.js computes a node of half precision in float32: such a node has the dtype of the signature.
    """
    if not ops.has_port(node, spec.tensor.port):
        raise ConversionError("the node has no such output", found=str(spec.tensor))
    dtype = ops.output_dtype(node, spec.tensor.port) or spec.dtype
    if dtype in HALVES and spec.dtype == DType.float32:
        dtype = spec.dtype
    shape = spec.shape
    if shape is None and node.op == "Placeholder":
        known = attr(node, "shape")
        # A shape without dimensions may be a scalar's or unknown: the file does not distinguish them.
        shape = shape_of(known) if isinstance(known, TensorShapeProto) and known.dim else None
    return TensorSpec(spec.tensor, dtype, shape)


def _placeholders(graph: Graph) -> Iterator[tuple[str, TensorSpec]]:
    for node in graph.nodes:
        if node.op.startswith("Placeholder"):
            yield node.name, _with_facts(TensorSpec(Tensor(node.name)), node)


def _unread(graph: Graph) -> Iterator[tuple[str, TensorSpec]]:
    """The nodes that no other node reads, except those without outputs (NoOp)."""
    for node in graph.nodes:
        if node.name not in graph.consumers and ops.has_port(node, 0):
            yield node.name, _with_facts(TensorSpec(Tensor(node.name)), node)


def _structured(outputs: dict[str, TensorSpec], keys: Sequence[str]) -> Mapping[str, TensorSpec]:
    """The outputs under their names in the original model.

    The converter writes them sorted, and the outputs as `Identity`, `Identity_1`, …: number n has key n.
    """
    numbered = {_number(spec.tensor): spec for spec in outputs.values()}
    if len({*keys}) != len(outputs) or len(numbered) != len(outputs) or None in numbered:
        return outputs
    return dict(zip(sorted(keys), (spec for _, spec in sorted(numbered.items()))))


def _number(tensor: Tensor) -> int | None:
    found = _NUMBERED.fullmatch(tensor.node)
    return int(found[1] or 0) if found else None
