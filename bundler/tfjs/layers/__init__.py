"""Keras models in TensorFlow.js' form, "layers models", become graphs.

    modelTopology ──► configuration ──► description ──► graph ──► matching
        JSON            our readers       typed         nodes      weights

`origins` says which library wrote the model, and what its layers mean there; `kinds` has a function for each layer.
The graph has a constant for each variable, and the weights stay on disk like those of any graph model. No code of Keras
or of the model runs.
"""

from __future__ import annotations

from collections.abc import Mapping

from bundler.artifacts.artifact import Artifact
from bundler.errors import ConversionError
from bundler.ir.model import Graph, Model
from bundler.ir.weight import Weight
from bundler.tfjs.layers import limits
from bundler.tfjs.layers.configuration import translate
from bundler.tfjs.layers.description import Network, Stack
from bundler.tfjs.layers.graph.walk import build
from bundler.tfjs.layers.matching import match
from bundler.tfjs.layers.origins import JAVASCRIPT, Origin, origin_of
from bundler.tfjs.weights import read_weights

__all__ = ["departures", "library_of", "read_layers"]

_NAMES_ONLY = ("name", "names_inner_input")
"""Differences between libraries that change no numbers."""


def read_layers(artifact: Artifact, weights: Mapping[str, Weight]) -> Model:
    """The graph of a layers model, with its weights, and one signature under an empty key.

    Inputs and outputs have the names of layers. ConversionError if the configuration has something that cannot be
    imported, a layer cannot do what it is asked to do with its inputs, or a weight is missing.
    """
    topology = artifact.document["modelTopology"]
    stored = sum(weight.size for weight in weights.values())
    model = translate(topology)
    limits.check(model, stored)
    built = build(model, origin_of(topology), limits.elements(stored))
    matched = match(built.variables, {name: weight.shape for name, weight in weights.items()})
    constants = {variable.node: weights[name].cast(variable.dtype) for variable, name in matched.items()}
    return Model(Graph(built.nodes, constants), {"": built.signature}, built.functions)


def library_of(artifact: Artifact) -> str:
    """The library that wrote a layers model: `Keras 2`."""
    return origin_of(artifact.document["modelTopology"]).name


def departures(artifact: Artifact) -> tuple[str, ...]:
    """The differences of `origins` by which TensorFlow.js computes a layers model otherwise than its library does.

    They are found by the graphs: a difference counts if the graph changes with it.
    """
    topology = artifact.document["modelTopology"]
    model, own = translate(topology), origin_of(topology)
    stored = sum(weight.size for weight in read_weights(artifact).values())
    right = _graph(model, own, stored)
    theirs = own._replace(**{name: getattr(JAVASCRIPT, name) for name in Origin._fields if name not in _NAMES_ONLY})
    if _graph(model, theirs, stored) == right:
        return ()
    unlike = [name for name in Origin._fields if getattr(own, name) != getattr(theirs, name)]
    alone = (
        name for name in unlike if _graph(model, own._replace(**{name: getattr(JAVASCRIPT, name)}), stored) != right
    )
    return tuple(alone) or tuple(unlike)


def _graph(model: Stack | Network, origin: Origin, stored: int) -> object:
    """What a model computes by an origin; None if it computes nothing."""
    try:
        built = build(model, origin, limits.elements(stored))
    except ConversionError:
        return None
    return built.nodes, built.functions, built.signature
