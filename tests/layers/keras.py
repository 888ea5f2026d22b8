"""Make the models of `cases.json` with Keras 2 or Keras 3, save them as their users do, and run them once.

    python -m tests.layers.keras tf_keras FOLDER
    python -m tests.layers.keras keras FOLDER

FOLDER/cases.json has the models and their inputs (see `programs`). Each model is written to a folder of its own, by the
converter of tensorflowjs. `FOLDER/<package>/answers.json` has the names and values of the outputs, or an error, and
`layers.json` beside it the names of all layers that the package has.
"""

from __future__ import annotations

import base64
import gc
import importlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

Keras = Any
"""The package `tf_keras`, which is Keras 2, or `keras`, which is Keras 3."""

RENAMED = {("keras", "LeakyReLU", "alpha"): "negative_slope"}
"""Options that Keras 3 calls otherwise than Keras 2."""


class Maker:
    """Makes a package's layers and models from their documents."""

    def __init__(self, keras: Keras) -> None:
        self.keras = keras

    def part(self, document: Mapping[str, Any]) -> Any:
        """A layer or a model, or one of Keras 3's functions that stand in a model like layers (`ops.not_equal`)."""
        kind = document["kind"]
        if kind.startswith("ops.") and hasattr(self.keras, "ops"):
            return getattr(self.keras.ops, kind[4:])
        if kind == "Sequential":
            return self.stack(document)
        if kind == "Functional":
            return self.network(document)
        options = {self.renamed(kind, key): self.value(value) for key, value in document["options"].items()}
        return getattr(self.keras.layers, kind)(**options)

    def renamed(self, kind: str, key: str) -> str:
        return RENAMED.get((self.keras.__name__, kind, key), key)

    def value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return self.part(value) if isinstance(value, dict) else value

    def stack(self, document: Mapping[str, Any]) -> Any:
        inputs = [] if document["input"] is None else [self.input("x", document["input"])]
        return self.keras.Sequential([*inputs, *map(self.part, document["layers"])])

    def input(self, name: str, document: Mapping[str, Any]) -> Any:
        batch = document["batch"] if document["fixed"] else None
        return self.keras.Input(tuple(document["shape"]), batch_size=batch, dtype=document["dtype"], name=name)

    def network(self, document: Mapping[str, Any]) -> Any:
        tensors = {name: self.input(name, given) for name, given in document["inputs"].items()}
        inputs = list(tensors.values())
        layers = {name: self.part(part) for name, part in document["layers"].items()}
        for call in document["calls"]:
            arguments = {key: _tensors(value, tensors) for key, value in call["arguments"].items()}
            found = layers[call["layer"]](*_tensors(call["tensors"], tensors), **arguments)
            tensors |= zip(call["results"], found if len(call["results"]) > 1 else [found])
        outputs = [item for name in document["outputs"] for item in _listed(tensors[name])]
        return self.keras.Model(_unlisted(inputs), _unlisted(outputs))


def _tensors(value: Any, tensors: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_tensors(item, tensors) for item in value]
    if isinstance(value, dict):
        return value["text"]
    return tensors[value] if isinstance(value, str) else value


def _unlisted(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _listed(value: Any) -> list[Any]:
    """The tensors of a result: stacked cells give lists of states in a list."""
    return [item for each in value for item in _listed(each)] if isinstance(value, (list, tuple)) else [value]


def answer(keras: Keras, case: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Make a model, draw its weights, run and save it."""
    from tensorflowjs.converters import save_keras_model

    keras.backend.clear_session()
    model = Maker(keras).part(case["model"])
    random = np.random.default_rng(5)
    model.set_weights([_drawn(variable, random) for variable in model.weights])
    for layer in model.layers:
        getattr(
            layer, "finalize_state", lambda: None
        )()  # as when a file is loaded: Normalization reads its weights here
    feeds = [np.array(feed["values"], feed["dtype"]).reshape(feed["shape"]) for feed in case["feeds"]]
    outputs = _listed(_run(model, _unlisted(feeds)))
    save_keras_model(model, str(folder))
    inputs = [given.name.partition(":")[0] for given in model.inputs]
    names = getattr(model, "output_names", [model.layers[-1].name])  # Keras 3 has none for a Sequential
    return {"inputs": inputs, "outputs": [_shown(name, np.array(value)) for name, value in zip(names, outputs)]}


def _run(model: Any, feeds: Any) -> Any:
    """The outputs of a model; what TensorFlow's kernels for CPUs lack, most of all channels first, XLA compiles."""
    import tensorflow as tf

    try:
        return model(feeds, training=False)
    except (tf.errors.UnimplementedError, tf.errors.InvalidArgumentError):
        return tf.function(lambda given: model(given, training=False), jit_compile=True)(feeds)


def _drawn(variable: Any, random: np.random.Generator) -> np.ndarray:
    """Values of a variable: variances are positive."""
    low = 0.1 if "variance" in variable.name else -0.7
    drawn: np.ndarray = random.uniform(low, 0.7, variable.shape).astype(np.float32)
    return drawn


def _shown(name: str, value: np.ndarray) -> dict[str, Any]:
    data = base64.b64encode(value.tobytes()).decode()
    return {"name": name, "dtype": value.dtype.name, "shape": list(value.shape), "data": data}


def _layers(keras: Keras) -> set[str]:
    """The classes of all layers that the package offers."""
    offered = vars(keras.layers).values()
    return {each.__name__ for each in offered if isinstance(each, type) and issubclass(each, keras.layers.Layer)}


def _tried(keras: Keras, case: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    try:
        return answer(keras, case, folder)
    except Exception as error:  # of any class: each layer has its own way to refuse
        return {"error": f"{type(error).__name__}: {error}"}


def main(package: str, folder: Path) -> None:
    keras = importlib.import_module(package)
    cases = json.loads((folder / "cases.json").read_text())
    place = folder / package
    gc.freeze()  # Keras 3 collects garbage after each model, and what was imported is most of what it looks through
    answers = {case["id"]: _tried(keras, case, place / case["id"]) for case in cases}
    (place / "answers.json").write_text(json.dumps(answers))
    (place / "layers.json").write_text(json.dumps(sorted(_layers(keras))))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
