"""Write layers models as Python programs do, with Keras 2 and Keras 3, and what Keras computes: run as a program.

    python tests/support/keras_models.py FOLDER

Each model is written to a folder of its own, with the arrays of `inputs.npz` and `outputs.npz` beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Keras = Any
"""The package `tf_keras`, which is Keras 2, or `keras`, which is Keras 3."""


def heads(keras: Keras) -> Any:
    """Several inputs and outputs, a model in the model, and what a model from JavaScript cannot have or do."""
    layers = keras.layers
    image, series, vector = (
        layers.Input(shape, name=name) for name, shape in {"image": (9, 8, 3), "series": (6, 2), "vector": (4,)}.items()
    )
    small = layers.CenterCrop(6, 5)(layers.Rescaling(1 / 2, offset=0.1)(image))
    deep = layers.SeparableConv2D(4, 3, depth_multiplier=2, padding="same")(layers.Resizing(7, 7)(small))
    deep = layers.PReLU(shared_axes=[1, 2])(layers.BatchNormalization()(deep))
    pooled = layers.GlobalAveragePooling2D(name="pooled")(layers.LeakyReLU(0.1)(deep))
    read = layers.Conv1D(4, 2, padding="causal", dilation_rate=2, activation="gelu")(series)
    sequence, *state = layers.LSTM(4, return_sequences=True, return_state=True)(read)
    read = layers.GRU(4)(sequence, initial_state=[state[0]])
    both = layers.Bidirectional(layers.LSTM(2), merge_mode="concat")(sequence)
    inner = keras.Sequential([layers.Input((4,)), layers.Dense(4, activation="hard_sigmoid"), layers.Dense(4)])
    joined = layers.Concatenate()([pooled, read, both, inner(inner(vector))])
    scores = layers.Dense(3, activation="softmax", name="scores")(joined)
    return keras.Model([image, series, vector], [scores, layers.Add()([read, vector]), both])


def sequential(keras: Keras) -> Any:
    """No names but Keras' own; its weights, as Keras 3 writes them, begin with the model's name."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((5,), name="tokens"),
            layers.Embedding(4, 3, mask_zero=True),
            layers.Bidirectional(layers.GRU(4, return_sequences=True)),
            layers.TimeDistributed(layers.Dense(4, activation="relu")),
            layers.LayerNormalization(),
            layers.Flatten(),
            layers.Dense(2),
            layers.Dense(2),
        ]
    )


MODELS: tuple[Callable[[Keras], Any], ...] = (heads, sequential)


def write(keras: Keras, make: Callable[[Keras], Any], folder: Path) -> None:
    """Make a model, draw its weights, run it once and save it all."""
    from tensorflowjs.converters import save_keras_model

    keras.utils.set_random_seed(5)
    model = make(keras)
    random = np.random.default_rng(5)
    model.set_weights(
        [random.uniform(0.1, 0.9, weight.shape) - 0.3 * (weight.ndim > 1) for weight in model.get_weights()]
    )
    inputs = {name: random.integers(0, 4, [2, *shape[1:]]).astype(np.float32) for name, shape in _inputs(model).items()}
    outputs = model.predict(list(inputs.values()), verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    save_keras_model(model, str(folder))
    np.savez(folder / "inputs.npz", **dict[str, Any](inputs))
    names = getattr(model, "output_names", [model.layers[-1].name])  # Keras 3 has none for a Sequential
    np.savez(folder / "outputs.npz", **dict(zip(names, outputs)))


def _inputs(model: Any) -> dict[str, Any]:
    return {given.name.partition(":")[0]: tuple(given.shape) for given in model.inputs}


def main() -> None:
    import keras
    import tf_keras

    folder = Path(sys.argv[1])
    for package in (tf_keras, keras):
        for make in MODELS:
            package.backend.clear_session()
            write(package, make, folder / f"{package.__name__}-{make.__name__}")


if __name__ == "__main__":
    main()
