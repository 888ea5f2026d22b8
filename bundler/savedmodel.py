"""A SavedModel on disk, written without ever being in memory.

The file `saved_model.pb` is one protobuf message. Its structure is small, its weights are large, and their
sizes are known before they are read: so the lengths of the nested messages are computed, and each weight
goes straight from its shard into its place. What is written is what
`SavedModel.SerializeToString(deterministic=True)` would give, byte for byte.

Layout: tensorflow/core/protobuf/saved_model.proto, meta_graph.proto, framework/graph.proto.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from bundler import ops, wire
from bundler.dtypes import DType
from bundler.errors import ConversionError
from bundler.model import Function, Model, Signature, TensorSpec
from bundler.nodes import Tensor, shape_of, shape_proto
from bundler.progress import SILENT, Progress
from bundler.protos import (
    FunctionDef,
    GraphDef,
    MetaGraphDef,
    NodeDef,
    SavedModel,
    SignatureDef,
    TensorInfo,
    TensorProto,
)
from bundler.variables import Variable, described
from bundler.weight import Weight
from bundler.wire import Pieces

__all__ = [
    "FILE",
    "MetaGraph",
    "frozen_graph",
    "graph_def",
    "read_signatures",
    "signature_def",
    "write",
    "write_graph",
]

FILE = "saved_model.pb"
_INIT = "__saved_model_init_op"
"""A key under which others keep the node that loaders run first: no signature of the user's."""
_INIT_NODE = "initialize"
_LIMIT = (1 << 31) - 1
"""Protobuf refuses messages beyond this many bytes."""


class MetaGraph(NamedTuple):
    """One graph of a SavedModel, found by its tags, and those of its weights that are in the checkpoint."""

    tags: tuple[str, ...]
    model: Model
    variables: tuple[Variable, ...] = ()


def write(metagraphs: Sequence[MetaGraph], folder: Path, *, jobs: int = 1, progress: Progress = SILENT) -> int:
    """Write a SavedModel into a folder, and give its size in bytes.

    Raises ConversionError when it would be larger than protobuf allows.
    """
    pieces = [SavedModel(saved_model_schema_version=1).SerializeToString()]
    for metagraph in metagraphs:
        pieces += wire.field(2, _metagraph(metagraph))
    apart = any(metagraph.variables for metagraph in metagraphs)
    hint = "split the bundle in two" if apart else 'set `weights = "variables"`, or split the bundle in two'
    return _write(pieces, folder / FILE, jobs, progress, hint)


def write_graph(model: Model, path: Path, *, jobs: int = 1, progress: Progress = SILENT) -> int:
    """Write a frozen graph, a GraphDef that holds its weights, into a file, and give its size in bytes.

    Raises ConversionError when it would be larger than protobuf allows.
    """
    hint = "write a SavedModel: it can hold its weights beside the graph"
    return _write(_graph(_with_init(model)), path, jobs, progress, hint)


def frozen_graph(model: Model) -> bytes:
    """A serialized GraphDef that holds its weights: what `write_graph` writes."""
    return wire.content(_graph(_with_init(model)))


def read_signatures(metagraph: MetaGraphDef) -> dict[str, Signature]:
    """The signatures of a MetaGraph, by key."""
    return {key: _signature(metagraph.signature_def[key]) for key in sorted(metagraph.signature_def) if key != _INIT}


def graph_def(model: Model) -> bytes:
    """A serialized GraphDef of the structure alone: constants with weights stand in as Placeholders.

    Enough to infer dtypes and shapes, and no weight is read.
    """
    stripped = model.with_graphs(lambda graph: graph.without_weights())
    return wire.content(_graph(stripped))


# Encoding ----------------------------------------------------------------------------------------


def _write(pieces: Pieces, path: Path, jobs: int, progress: Progress, hint: str) -> int:
    size = wire.size(pieces)
    if size > _LIMIT:
        raise ConversionError(
            "too large for one file that holds its weights as constants",
            found=f"{size:,} bytes",
            expected=f"at most {_LIMIT:,}",
            hint=hint,
        )
    wire.write(pieces, path, jobs=jobs, progress=progress)
    return size


def _metagraph(metagraph: MetaGraph) -> Pieces:
    tags, model, variables = metagraph
    info = MetaGraphDef.MetaInfoDef(tags=tags)
    head = MetaGraphDef(meta_info_def=info).SerializeToString()
    signatures = {key: signature_def(signature) for key, signature in model.signatures.items()}
    tail = described(variables)
    tail.MergeFrom(MetaGraphDef(signature_def=signatures))
    if model.initializers:
        # Loaders also look for a signature of a reserved key, but that would stand among those of the user.
        tail.collection_def["saved_model_main_op"].node_list.value.append(_init_name(model))
    return [head, *wire.field(2, _graph(_with_init(model))), tail.SerializeToString(deterministic=True)]


def _with_init(model: Model) -> Model:
    """The model with one node that waits for all initializers."""
    if not model.initializers:
        return model
    init = NodeDef(name=_init_name(model), op="NoOp", input=[f"^{name}" for name in model.initializers])
    return replace(model, graph=replace(model.graph, nodes=(*model.graph.nodes, init)))


def _init_name(model: Model) -> str:
    """A name that no node has: a model alone in its MetaGraph has no scope to keep clear of it."""
    names = chain([_INIT_NODE], (f"{_INIT_NODE}_{number}" for number in count(1)))
    return next(name for name in names if name not in model.graph.by_name)


def _graph(model: Model) -> Pieces:
    """A GraphDef: nodes, library, versions."""
    pieces: Pieces = []
    for node in model.graph.nodes:
        pieces += wire.field(1, _node(node, model.graph.weights.get(node.name)))
    library: Pieces = []
    for name in sorted(model.functions):
        library += wire.field(1, _function(model.functions[name]))
    if library:
        pieces += wire.field(2, library)
    versions = GraphDef()
    versions.versions.producer = model.producer
    return [*pieces, versions.SerializeToString()]


def _node(node: NodeDef, weight: Weight | None) -> Pieces:
    """A NodeDef. A weight becomes the attribute `value`, whose key sorts after a Const's `dtype`."""
    if weight is None:
        return [node.SerializeToString(deterministic=True)]
    bare = NodeDef(name=node.name, op=node.op, input=node.input)
    bare.attr["dtype"].type = weight.dtype
    value = wire.field(2, wire.field(8, _tensor(weight)))
    return [bare.SerializeToString(), *wire.field(5, [*wire.field(1, [b"value"]), *value])]


def _tensor(weight: Weight) -> Pieces:
    """A TensorProto. Strings have a field of their own and are small: they are read at once."""
    proto = TensorProto(dtype=weight.dtype.value, tensor_shape=shape_proto(weight.shape))
    if weight.dtype == DType.string:
        proto.string_val.extend(weight.strings())
        return [proto.SerializeToString()]
    return [proto.SerializeToString(), *wire.field(4, [weight])] if weight.nbytes else [proto.SerializeToString()]


def _function(function: Function) -> Pieces:
    """A FunctionDef: its inputs are written with the names of outputs instead of ports."""
    by_name = function.graph.by_name
    head, tail = FunctionDef(), FunctionDef()
    head.CopyFrom(function.definition)
    for output, tensor in function.returns.items():
        tail.ret[output] = _spelled(tensor, by_name)
    body: Pieces = []
    for node in function.graph.nodes:
        spelled = NodeDef()
        spelled.CopyFrom(node)
        spelled.input[:] = [_spelled(Tensor.parse(reference), by_name) for reference in node.input]
        body += wire.field(3, _node(spelled, function.graph.weights.get(node.name)))
    return [head.SerializeToString(deterministic=True), *body, tail.SerializeToString(deterministic=True)]


def _spelled(tensor: Tensor, nodes: Mapping[str, NodeDef]) -> str:
    if tensor.is_control or tensor.node not in nodes:
        return str(tensor)
    output, index = ops.named_port(nodes[tensor.node], tensor.port)
    return f"{tensor.node}:{output}:{index}"


# Signatures --------------------------------------------------------------------------------------


def signature_def(signature: Signature) -> SignatureDef:
    """A signature as TensorFlow's message."""
    return SignatureDef(
        inputs={key: _tensor_info(spec) for key, spec in signature.inputs.items()},
        outputs={key: _tensor_info(spec) for key, spec in signature.outputs.items()},
        method_name=signature.method_name,
    )


def _tensor_info(spec: TensorSpec) -> TensorInfo:
    dtype = spec.dtype.value if spec.dtype is not None else 0
    return TensorInfo(name=spec.tensor.full, dtype=dtype, tensor_shape=shape_proto(spec.shape))


def _signature(proto: SignatureDef) -> Signature:
    inputs, outputs = ({key: _spec(side[key]) for key in sorted(side)} for side in (proto.inputs, proto.outputs))
    return Signature(inputs, outputs, proto.method_name)


def _spec(info: TensorInfo) -> TensorSpec:
    # Files of others may have dtypes that came after ours.
    dtype = next((known for known in DType if known == info.dtype), None)
    return TensorSpec(Tensor.parse(info.name), dtype, shape_of(info.tensor_shape))
