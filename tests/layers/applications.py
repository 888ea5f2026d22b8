"""Architectures of `tf_keras.applications` with random weights, as layers models: run as a program.

    python -m tests.layers.applications FOLDER

Each is written to `FOLDER/<name>` by the converter of tensorflowjs, with the arrays of `inputs.npz` and `outputs.npz`
beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["SIZES"]

SIZES: Mapping[str, int] = {
    "MobileNet": 64,
    "MobileNetV2": 64,
    "Xception": 96,
    "DenseNet121": 64,
    "NASNetMobile": 64,
    "EfficientNetB0": 64,
    "ResNet50V2": 64,
}
"""Height and width of the images that an architecture is made for here."""
_STATISTICS = {"gamma": (0.8, 1.2), "beta": (-0.1, 0.1), "moving_mean": (-0.1, 0.1), "moving_variance": (0.5, 1.5)}
"""Ranges of the weights of normalizations, which are all equal at first."""


def main(folder: Path) -> None:
    import tf_keras

    for name, size in SIZES.items():
        tf_keras.backend.clear_session()
        tf_keras.utils.set_random_seed(3)
        make = getattr(tf_keras.applications, name)
        _write(make(weights=None, input_shape=(size, size, 3), classes=10), size, folder / name)


def _write(model: Any, size: int, folder: Path) -> None:
    from tensorflowjs.converters import save_keras_model

    random = np.random.default_rng(3)
    model.set_weights([_drawn(variable, random) for variable in model.weights])
    image = random.uniform(-1, 1, (2, size, size, 3)).astype(np.float32)
    outputs = np.array(model(image, training=False))
    save_keras_model(model, str(folder))
    np.savez(folder / "inputs.npz", **{model.input_names[0]: image})
    np.savez(folder / "outputs.npz", **{model.output_names[0]: outputs})


def _drawn(variable: Any, random: np.random.Generator) -> np.ndarray:
    last = variable.name.rpartition("/")[2].partition(":")[0]
    drawn: np.ndarray = variable.numpy()
    if last in _STATISTICS:
        drawn = random.uniform(*_STATISTICS[last], variable.shape).astype(np.float32)
    return drawn


if __name__ == "__main__":
    main(Path(sys.argv[1]))
