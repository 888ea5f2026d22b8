"""Keras models in TensorFlow.js' form, "layers models", become graph models.

    modelTopology ──► configuration ──► description ──► keras ──► matching
        JSON            our readers       typed          graph     weights

Keras itself makes the graph, in a process of its own (see `process`). It gets the description only, in which every
value was made by `configuration`; the graph that comes back has a constant for each variable, and the weights stay on
disk like those of any graph model.
"""

from __future__ import annotations

from collections.abc import Mapping

from bundler.artifacts.artifact import Artifact
from bundler.errors import within
from bundler.ir.weight import Weight
from bundler.tfjs.fields import Json
from bundler.tfjs.layers import limits, process
from bundler.tfjs.layers.configuration import translate
from bundler.tfjs.layers.matching import match

__all__ = ["as_graph_model"]


def as_graph_model(artifact: Artifact, weights: Mapping[str, Weight]) -> tuple[Json, dict[str, Weight]]:
    """The document of a graph model that does the same, and its weights by their nodes' names.

    Inputs and outputs have the names that Keras gives them: those of layers. ConversionError if the packages of the
    extra `layers` are missing, the configuration has something that cannot be imported, or Keras refuses the model.
    """
    with within(artifact.entry):
        process.check_installed()
        stored = sum(weight.size for weight in weights.values())
        model = translate(artifact.document["modelTopology"])
        limits.check(model, stored)
        graph = process.graph(model, limits.elements(stored))
        matched = match(graph.variables, {name: weight.shape for name, weight in weights.items()})
    document = {"modelTopology": graph.topology, "signature": graph.signature}
    return document, {variable.node: weights[name] for variable, name in matched.items() if variable.node is not None}
