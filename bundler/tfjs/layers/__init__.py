"""Keras models in TensorFlow.js' form, "layers models", become graphs.

    modelTopology ──► configuration ──► description ──► graph ──► matching
        JSON            our readers       typed         nodes      weights

`origins` says which library wrote the model, and what its layers mean there; `kinds` has a function for each layer.
The graph has a constant for each variable, and the weights stay on disk like those of any graph model.

A model with a layer that `kinds` does not have yet is made by Keras, in a process of its own (see `process`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bundler.artifacts.artifact import Artifact
from bundler.ir.model import Graph, Model
from bundler.ir.weight import Weight
from bundler.tfjs.fields import Json
from bundler.tfjs.layers import limits, process
from bundler.tfjs.layers.configuration import translate
from bundler.tfjs.layers.description import Layer, Network, Stack
from bundler.tfjs.layers.graph.walk import build, covers
from bundler.tfjs.layers.matching import Variable, match
from bundler.tfjs.layers.origins import JAVASCRIPT, Origin, origin_of

__all__ = ["as_graph_model", "description_of", "is_covered", "read_model"]


def description_of(artifact: Artifact, weights: Mapping[str, Weight]) -> Stack | Network:
    """The model that a file describes. ConversionError if it cannot be imported, or is too large for its weights."""
    model = translate(artifact.document["modelTopology"])
    limits.check(model, _elements(weights))
    return model


def is_covered(model: Stack | Network) -> bool:
    """Whether `read_model` knows all layers of a model."""
    return covers(model)


def read_model(artifact: Artifact, model: Stack | Network, weights: Mapping[str, Weight]) -> Model:
    """The graph of a model, with its weights, and one signature under an empty key.

    Inputs and outputs have the names of layers. ConversionError if a layer cannot do what it is asked to do with its
    inputs, or a weight is missing.
    """
    origin = origin_of(artifact.document["modelTopology"])
    built = build(model, origin, limits.elements(_elements(weights)))
    found = _matched(built.variables, weights)
    graph = Graph(built.nodes, {node: weight.cast(built.dtypes[node]) for node, weight in found.items()})
    return Model(graph, {"": built.signature}, built.functions)


def as_graph_model(
    artifact: Artifact, model: Stack | Network, weights: Mapping[str, Weight]
) -> tuple[Json, dict[str, Weight]]:
    """The document of a graph model that does the same, made by Keras, and its weights by their nodes' names."""
    process.check_installed()
    described = _in_keras_2(model, origin_of(artifact.document["modelTopology"]))
    graph = process.graph(described, limits.elements(_elements(weights)))
    document = {"modelTopology": graph.topology, "signature": graph.signature}
    return document, _matched(graph.variables, weights)


def _in_keras_2(part: Any, origin: Origin) -> Any:
    """The part with names that mean to Keras 2 what the part's own mean to its origin."""
    if not isinstance(part, Layer):
        return replace(part, layers=tuple(_in_keras_2(each, origin) for each in part.layers))
    kind = f"JavaScript{part.kind}" if origin == JAVASCRIPT and part.kind == "UpSampling2D" else part.kind
    return replace(part, kind=kind, options={key: _renamed(value, origin) for key, value in part.options.items()})


def _renamed(value: Any, origin: Origin) -> Any:
    if isinstance(value, (Layer, Stack, Network)):
        return _in_keras_2(value, origin)
    if isinstance(value, tuple):
        return tuple(_renamed(item, origin) for item in value)
    return origin.activations.get(value, value) if isinstance(value, str) else value


def _elements(weights: Mapping[str, Weight]) -> int:
    return sum(weight.size for weight in weights.values())


def _matched(variables: tuple[Variable, ...], weights: Mapping[str, Weight]) -> dict[str, Weight]:
    """The weights by the nodes that stand for them."""
    matched = match(variables, {name: weight.shape for name, weight in weights.items()})
    return {variable.node: weights[name] for variable, name in matched.items() if variable.node is not None}
