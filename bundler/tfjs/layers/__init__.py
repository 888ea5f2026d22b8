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
from bundler.ir.model import Graph, Model
from bundler.ir.weight import Weight
from bundler.tfjs.layers import limits
from bundler.tfjs.layers.configuration import translate
from bundler.tfjs.layers.graph.walk import build
from bundler.tfjs.layers.matching import match
from bundler.tfjs.layers.origins import origin_of

__all__ = ["read_layers"]


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
