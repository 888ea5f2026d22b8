"""The layers models that TensorFlow.js computes otherwise than the library that wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bundler.artifacts import artifact
from bundler.tfjs.layers import departures, library_of


def larger(interpolation: str) -> Mapping[str, Any]:
    return layer("UpSampling2D", size=[2, 2], interpolation=interpolation, data_format="channels_last")


def activation(name: str) -> Mapping[str, Any]:
    return layer("Activation", activation=name)


def layer(kind: str, **options: Any) -> Mapping[str, Any]:
    first = {"name": "first", "batch_input_shape": [None, 4, 4, 1], "dtype": "float32"}
    return {"class_name": kind, "config": {**first, **options}}


@pytest.mark.parametrize(
    ("written_by", "only", "library", "found"),
    [
        ("2.15.0", larger("nearest"), "Keras 2", ("samples_at_centers",)),  # and yet the same numbers
        ("2.15.0", larger("bilinear"), "Keras 2", ("samples_at_centers",)),
        ("3.5.0", larger("bilinear"), "Keras 3", ("samples_at_centers",)),
        ("tfjs-layers 4.22.0", larger("bilinear"), "TensorFlow.js", ()),
        ("2.15.0", activation("hard_sigmoid"), "Keras 2", ()),
        ("3.5.0", activation("hard_sigmoid"), "Keras 3", ("activations",)),
        ("3.5.0", activation("relu"), "Keras 3", ()),
    ],
)
def test_a_difference_counts_if_it_changes_the_graph(
    tmp_path: Path, written_by: str, only: Mapping[str, Any], library: str, found: tuple[str, ...]
) -> None:
    config = {"class_name": "Sequential", "config": {"name": "model", "layers": [only]}}
    topology = {"keras_version": written_by, "model_config": config}
    document = {"format": "layers-model", "modelTopology": topology, "weightsManifest": []}
    (tmp_path / "model.json").write_text(json.dumps(document))
    model = artifact.open(tmp_path)
    assert (library_of(model), departures(model)) == (library, found)
