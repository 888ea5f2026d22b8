"""TensorFlow.js' format: models become graphs that TensorFlow takes, and no quirk of the format goes further."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Literal

from bundler.artifacts.artifact import Artifact
from bundler.errors import NOWHERE, ConversionError, Place, within
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Node, Tensor, attr, new_node, shape_proto
from bundler.ir.protos import TensorShapeProto
from bundler.ir.weight import Weight
from bundler.tfjs import fields
from bundler.tfjs.fields import Json
from bundler.tfjs.initializer import join_initializer
from bundler.tfjs.notes import notes
from bundler.tfjs.signatures import read_signature
from bundler.tfjs.topology import read_functions, read_graph
from bundler.tfjs.weights import read_weights

__all__ = ["is_graph_model", "names_its_signature", "read"]

_OF_LAYERS = ("model_config", "class_name", "keras_version")
"""Keys of a topology of Keras layers: written by Python the first, by JavaScript the second."""
_VERSIONS = range(1 << 31)


def is_graph_model(artifact: Artifact) -> bool:
    """Whether the model is a graph (and not of Keras layers). Its `format` is missing in files from before 1.0."""
    return "node" in _topology(artifact)


def names_its_signature(artifact: Artifact) -> bool:
    """Whether inputs and outputs have names of the model's own: those of Keras layers, or of a whole signature.

    Only `userDefinedMetadata.signature` counts, the one that tfjs-graph-converter reads.
    """
    signature = fields.loose(fields.loose(artifact.document, "userDefinedMetadata"), "signature")
    return not is_graph_model(artifact) or {"inputs", "outputs"} <= signature.keys()


def read(artifact: Artifact, format: Literal["auto", "graph", "layers"] = "auto", chosen_at: Place = NOWHERE) -> Model:
    """A model with the one signature that TensorFlow.js would use, under an empty key.

    Raises SourceError if the files do not have the size of the weights; ConversionError if the model is malformed, of
    another `format` (chosen in a manifest at a place), or of layers that cannot be converted.
    """
    found = _format(artifact)
    if format not in ("auto", found):
        raise ConversionError(
            "the model is of another format",
            where=artifact.entry,
            found=found,
            expected=format,
            hint="without `format`, bundler sees itself which it is",
            place=chosen_at,
        )
    weights = read_weights(artifact)
    with within(artifact.entry):
        if found == "graph":
            return _read_graph_model(artifact.document, weights)
        from bundler.tfjs.layers import read_layers  # fifty modules that a graph model does not need

        model = read_layers(artifact, weights)
        return model.noting(notes({}, model.graph))


def _topology(artifact: Artifact) -> Json:
    topology = artifact.document.get("modelTopology")
    return topology if isinstance(topology, Mapping) else {}


def _format(artifact: Artifact) -> str:
    if is_graph_model(artifact):
        return "graph"
    if not _topology(artifact).keys() & set(_OF_LAYERS):
        raise ConversionError(
            "this is no model of TensorFlow.js",
            where=artifact.entry,
            expected="a modelTopology with a graph (node) or with layers (model_config, class_name)",
        )
    return "layers"


def _read_graph_model(document: Json, weights: Mapping[str, Weight]) -> Model:
    topology = fields.table(document, "modelTopology")
    graph = read_graph(topology, weights)
    signature = read_signature(document, graph)
    model = Model(
        graph=_with_input_shapes(graph, signature),
        signatures={"": signature},
        functions=read_functions(topology, weights),
        producer=_producer(topology.get("versions")),
        notes=tuple(notes(document, graph)),
    )
    return join_initializer(model, document, weights)


def _producer(versions: object) -> int:
    """The version of GraphDef that a graph was written with; 0 if there is none. TensorFlow.js does not read it."""
    with suppress(ConversionError):
        producer = fields.integer(fields.of(dict, versions, "'versions'").get("producer", 0))
        return producer if producer in _VERSIONS else 0
    return 0


def _with_input_shapes(graph: Graph, signature: Signature) -> Graph:
    """The graph, with the signature's shape for each Placeholder that has none of its own, and a dtype for each.

    A Placeholder without dimensions is of unknown rank, not a scalar, if the signature has another shape. TensorFlow.js
    accepts any dtype for a Placeholder without one.
    """
    specs = {spec.tensor.node: spec for spec in signature.inputs.values()}

    def shaped(given: Node) -> Node:
        if given.op != "Placeholder":
            return given
        shape, spec = attr(given, "shape"), specs.get(given.name, TensorSpec(Tensor(given.name)))
        if "dtype" not in given.attr:
            given = given.having(dtype=spec.dtype or DType.float32)
        if isinstance(shape, TensorShapeProto) and shape.dim:
            return given
        return new_node("Placeholder", given.name, dtype=attr(given, "dtype"), shape=shape_proto(spec.shape))

    nodes = tuple(map(shaped, graph.nodes))
    return graph if all(map(operator.is_, nodes, graph.nodes)) else replace(graph, nodes=nodes)
