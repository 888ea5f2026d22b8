"""TensorFlow.js' format: every quirk of it ends here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bundler.artifact import Artifact
from bundler.errors import ConversionError, within
from bundler.model import Graph, Model, Signature
from bundler.nodes import attr, node, shape_proto
from bundler.protos import NodeDef, TensorShapeProto
from bundler.tfjs import fields
from bundler.tfjs.initializer import join_initializer
from bundler.tfjs.signatures import read_signature
from bundler.tfjs.topology import read_functions, read_graph
from bundler.tfjs.weights import read_weights

__all__ = ["is_graph_model", "read"]


def is_graph_model(artifact: Artifact) -> bool:
    """Whether it holds a graph (and not Keras layers). `format` is missing in files older than 1.0."""
    topology = artifact.document.get("modelTopology")
    return isinstance(topology, Mapping) and "node" in topology


def read(artifact: Artifact) -> Model:
    """A graph model with the one signature that TensorFlow.js would use, under an empty key.

    Raises SourceError where weights and files do not fit, ConversionError where the model makes no sense.
    """
    if not is_graph_model(artifact):
        raise ConversionError("this is no graph model", where=artifact.entry, expected="modelTopology.node")
    topology = artifact.document["modelTopology"]
    weights = read_weights(artifact)
    with within(artifact.entry):
        graph = read_graph(topology, weights)
        signature = read_signature(artifact.document, graph)
        model = Model(
            graph=_with_input_shapes(graph, signature),
            signatures={"": signature},
            functions=read_functions(topology, weights),
            producer=fields.integer(fields.table(topology, "versions").get("producer", 0)),
        )
        return join_initializer(model, artifact.document, weights)


def _with_input_shapes(graph: Graph, signature: Signature) -> Graph:
    """Placeholders with the shapes of the signature where their own says nothing.

    A Placeholder without dimensions means unknown, not scalar, when the signature says otherwise.
    """
    shapes = {spec.tensor.node: spec.shape for spec in signature.inputs.values()}

    def shaped(given: NodeDef) -> NodeDef:
        shape = attr(given, "shape")
        told = isinstance(shape, TensorShapeProto) and (shape.dim or shapes.get(given.name) == ())
        if given.op != "Placeholder" or told:
            return given
        return node("Placeholder", given.name, dtype=attr(given, "dtype"), shape=shape_proto(shapes.get(given.name)))

    return replace(graph, nodes=tuple(map(shaped, graph.nodes)))
