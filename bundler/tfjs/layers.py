"""Keras models in TensorFlow.js' form, "layers models", become graph models.

Keras itself makes the graph, in a process of its own (see `keras`): that takes TensorFlow's whole Python package, and
seconds. It gets the configuration only; the graph that comes back has a constant for each variable, and the weights
stay on disk like those of any graph model. As it depends on nothing else, the graph is kept in the cache.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bundler.artifact import Artifact
from bundler.child import Child
from bundler.errors import ConversionError, VerificationError, within
from bundler.sources.cache import Cache, default_folder
from bundler.tfjs import fields
from bundler.tfjs.configuration import translate
from bundler.tfjs.fields import Json
from bundler.tfjs.variables import Variable, match
from bundler.weight import Weight

__all__ = ["as_graph_model"]

_NEEDED = ("tensorflowjs", "tf_keras")
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from bundler.tfjs.keras import main; main()"
_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",  # nothing is computed, and the same graph must come out on every machine
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def as_graph_model(artifact: Artifact, weights: Mapping[str, Weight]) -> tuple[Json, dict[str, Weight]]:
    """The document of a graph model that does the same, and its weights by their nodes' names.

    Inputs and outputs have the names that Keras gives them: those of layers. ConversionError where the packages of the
    extra `layers` are missing, or Keras cannot make the model.
    """
    _check_installed(artifact)
    with within(artifact.entry):
        graph = _graph(json.dumps(translate(fields.table(artifact.document, "modelTopology"))).encode())
        matched = match(_variables(graph), {name: weight.shape for name, weight in weights.items()})
    document = {"modelTopology": graph["topology"], "signature": graph["signature"]}
    return document, {variable.node: weights[name] for variable, name in matched.items() if variable.node is not None}


def _check_installed(artifact: Artifact) -> None:
    missing = [package for package in _NEEDED if importlib.util.find_spec(package) is None]
    if missing:
        raise ConversionError(
            "this is a layers model, and what reads those is not installed",
            where=artifact.entry,
            found=f"no {' and no '.join(missing)}",
            hint="pip install 'tfjs-bundler[layers]'",
        )


def _variables(graph: Json) -> list[Variable]:
    return [Variable(**{**told, "shape": tuple(told["shape"])}) for told in graph["variables"]]


# From Keras --------------------------------------------------------------------------------------


def _graph(configuration: bytes) -> dict[str, Any]:
    """What Keras makes of a configuration, now or at an earlier time."""
    kept = Cache(default_folder()).get(_key(configuration), lambda folder: _fill(folder, configuration))
    graph: dict[str, Any] = json.loads((kept / "graph.json").read_bytes())
    return graph


def _key(configuration: bytes) -> str:
    """All that the graph depends on: the configuration, our code, and Keras, whose version names TensorFlow's."""
    from importlib.metadata import version  # takes a while, and only layers models ask

    code = Path(__file__).with_name("keras.py").read_bytes()
    versions = [version(package) for package in _NEEDED]
    return f"keras {' '.join(versions)} {hashlib.sha256(code + configuration).hexdigest()}"


def _fill(folder: Path, configuration: bytes) -> None:
    told = _ask(configuration)
    if "error" in json.loads(told):
        raise ConversionError(f"Keras: {json.loads(told)['error']}")
    (folder / "graph.json").write_bytes(told)


def _ask(configuration: bytes) -> bytes:
    command = [sys.executable, "-c", _START, json.dumps(sys.path)]
    try:
        with Child("Keras", command, _ENVIRONMENT) as child:
            return child.ask(configuration)
    except VerificationError as death:
        raise ConversionError.of(death.faults) from None
