"""Print the configurations that Keras 2 and Keras 3 write of layers: run as a program.

    python tests/keras_fields.py LAYERS

LAYERS is JSON: the required options of each kind of layer. So is what is printed: `tf_keras` and `keras`, each with the
layers of those kinds that it has.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

MORE: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("tf_keras", "InputLayer"): {"batch_input_shape": (None, 3)},
    ("keras", "InputLayer"): {"batch_shape": (None, 3)},
    **{("keras", f"AveragePooling{rank}D"): {"pool_size": 2} for rank in (1, 2, 3)},
}
"""Options that only one of the two requires, or calls so."""
OF_TRAINING: Mapping[str, Mapping[str, Any]] = {
    **{kind: {"factor": 0.2} for kind in ("RandomBrightness", "RandomContrast", "RandomRotation")},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
}
"""Options that both require and that have no bearing on what a model computes."""


def made(keras: Any, kind: str, options: Mapping[str, Any]) -> Any:
    """A layer; an object among its options is another, a list of objects are several."""
    values = {key: _value(keras, value) for key, value in options.items()}
    more = MORE.get((keras.__name__, kind), {})
    return getattr(keras.layers, kind)(**{**values, **more, **OF_TRAINING.get(kind, {})})


def _value(keras: Any, value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_value(keras, item) for item in value]
    return made(keras, value["class_name"], value["config"]) if isinstance(value, dict) else value


def _plain(value: Any) -> Any:
    """What JSON does not have, as both write it."""
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value.get_config()


def main() -> None:
    import keras
    import tf_keras

    layers = json.loads(sys.argv[1])
    written = {
        package.__name__: {
            kind: package.layers.serialize(made(package, kind, options))
            for kind, options in layers.items()
            if hasattr(package.layers, kind)
        }
        for package in (tf_keras, keras)
    }
    print(json.dumps(written, default=_plain))  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
