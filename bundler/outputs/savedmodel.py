"""A SavedModel, written without its weights in memory.

The file `saved_model.pb` is one protobuf message. Its structure is small, its weights are large, and their sizes are
known before they are read. So the lengths of the nested messages are computed first, and each weight goes from its
shard into its place.

Layout: tensorflow/core/protobuf/saved_model.proto, meta_graph.proto, framework/graph.proto.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from bundler.encoding.graphdef import graph_def
from bundler.encoding.message import Message, numbers
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.model import Model, Signature, TensorSpec
from bundler.ir.nodes import Tensor, new_node, shape_of, shape_proto
from bundler.ir.protos import MetaGraphDef, SavedModel, SignatureDef, TensorInfo
from bundler.outputs import writer
from bundler.outputs.objects import ObjectGraph
from bundler.outputs.saver import described
from bundler.outputs.variables import Variable
from bundler.progress import SILENT, Progress

__all__ = [
    "FILE",
    "MetaGraph",
    "frozen_graph",
    "initial_nodes",
    "read_signatures",
    "signature_def",
    "write",
    "write_graph",
]

FILE = "saved_model.pb"
_INIT = "__saved_model_init_op"
"""A key under which other writers keep the node that loaders run first. It is no signature of the user."""
_INIT_COLLECTIONS = ("saved_model_main_op", "legacy_init_op")
"""Collections with the node that loaders run first (tensorflow/cc/saved_model/constants.h)."""
_INIT_NODE = "initialize"
_LIMIT = (1 << 31) - 1
"""The most bytes of a message that protobuf reads."""


_META_GRAPHS, *_ = numbers(SavedModel, "meta_graphs")
_GRAPH_DEF, *_ = numbers(MetaGraphDef, "graph_def")


class MetaGraph(NamedTuple):
    """One graph of a SavedModel, its tags, those of its weights that are in the checkpoint, and its object graph."""

    tags: tuple[str, ...]
    model: Model
    variables: tuple[Variable, ...] = ()
    objects: ObjectGraph | None = None


def write(metagraphs: Sequence[MetaGraph], folder: Path, *, jobs: int = 1, progress: Progress = SILENT) -> int:
    """Write a SavedModel into a folder. Returns its size in bytes.

    Raises ConversionError if it is larger than protobuf allows.
    """
    message = Message(SavedModel(saved_model_schema_version=1).SerializeToString())
    for metagraph in metagraphs:
        message.nest(_META_GRAPHS, _metagraph(metagraph))
    apart = any(metagraph.variables for metagraph in metagraphs)
    hint = "split the bundle in two" if apart else 'set `weights = "variables"`, or split the bundle in two'
    return _write(message, folder / FILE, jobs, progress, hint)


def write_graph(model: Model, path: Path, *, jobs: int = 1, progress: Progress = SILENT) -> int:
    """Write a frozen graph, a GraphDef that holds its weights, into a file. Returns its size in bytes.

    Raises ConversionError if it is larger than protobuf allows.
    """
    hint = "write a SavedModel: it can hold its weights beside the graph"
    return _write(graph_def(_with_init(model)), path, jobs, progress, hint)


def frozen_graph(model: Model) -> bytes:
    """A serialized GraphDef that holds its weights, as `write_graph` writes it."""
    return graph_def(_with_init(model)).content


def read_signatures(metagraph: MetaGraphDef) -> dict[str, Signature]:
    """The signatures of a MetaGraph, by key."""
    return {key: _signature(metagraph.signature_def[key]) for key in sorted(metagraph.signature_def) if key != _INIT}


def initial_nodes(metagraph: MetaGraphDef) -> list[str]:
    """The names of the nodes that loaders run first, by the keys of all writers."""
    collections = (metagraph.collection_def.get(key) for key in _INIT_COLLECTIONS)
    listed = [name for each in collections if each is not None for name in each.node_list.value]
    outputs = metagraph.signature_def[_INIT].outputs.values() if _INIT in metagraph.signature_def else ()
    return [Tensor.parse(name).node for name in [*listed, *(info.name for info in outputs)]]


# Encoding ----------------------------------------------------------------------------------------


def _write(message: Message, path: Path, jobs: int, progress: Progress, hint: str) -> int:
    if message.size > _LIMIT:
        raise ConversionError(
            "too large for one file that holds its weights as constants",
            found=f"{message.size:,} bytes",
            expected=f"at most {_LIMIT:,}",
            hint=hint,
        )
    writer.write(message, path, jobs=jobs, progress=progress)
    return message.size


def _metagraph(metagraph: MetaGraph) -> Message:
    tags, model, variables, objects = metagraph
    info = MetaGraphDef.MetaInfoDef(tags=tags)
    made = Message(MetaGraphDef(meta_info_def=info).SerializeToString())
    functions = objects.functions if objects else {}
    made.nest(_GRAPH_DEF, graph_def(_with_init(replace(model, functions={**model.functions, **functions}))))
    signatures = {key: signature_def(signature) for key, signature in model.signatures.items()}
    tail = described(variables)
    tail.MergeFrom(MetaGraphDef(signature_def=signatures, object_graph_def=objects and objects.message))
    if model.initializers:
        # Loaders also know a signature of a reserved key for this, but users would see it among their own.
        tail.collection_def[_INIT_COLLECTIONS[0]].node_list.value.append(_init_name(model))
    made.add(tail.SerializeToString(deterministic=True))
    return made


def _with_init(model: Model) -> Model:
    """The model with one node that waits for all initializers."""
    if not model.initializers:
        return model
    init = new_node("NoOp", _init_name(model), [f"^{name}" for name in model.initializers])
    return replace(model, graph=replace(model.graph, nodes=(*model.graph.nodes, init)))


def _init_name(model: Model) -> str:
    """A name that no node has: the nodes of a model that is alone in its MetaGraph have no scope."""
    names = chain([_INIT_NODE], (f"{_INIT_NODE}_{number}" for number in count(1)))
    return next(name for name in names if name not in model.graph.by_name)


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
    # Files of other writers may have dtypes that are newer than ours.
    dtype = next((known for known in DType if known == info.dtype), None)
    return TensorSpec(Tensor.parse(info.name), dtype, shape_of(info.tensor_shape))
