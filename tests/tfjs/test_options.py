"""The table of layers holds against what Keras 2 and Keras 3 write of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from bundler.tfjs.layers.configuration import translate
from bundler.tfjs.layers.description import Layer
from bundler.tfjs.layers.options import KINDS
from bundler.tfjs.layers.schema import REQUIRED, Field
from tests.support.places import TESTS
from tests.tfjs.test_layers import NEEDS_KERAS

GRU, CELL = ({"class_name": kind, "config": {"units": 2}} for kind in ("GRU", "GRUCell"))
GIVEN = {
    "dims": [1],
    "layer": GRU,
    "cell": CELL,
    "cells": [CELL],
    "target_shape": [3],
    "rate": 0.5,
    "stddev": 0.5,
    "equation": "ab,bc->ac",
    "output_shape": 3,
}
"""Values for options without a default; 2 for all others."""
VERSIONS = {"tf_keras": "2.15.0", "keras": "3.5.0"}
LACKING = {
    "tf_keras": {"ConvLSTM2DCell", "RMSNormalization"},
    "keras": {"ConvLSTM2DCell", "ThresholdedReLU"},
}


@pytest.fixture(scope="module")
def written() -> Mapping[str, Mapping[str, Any]]:
    """The configuration of a layer of each kind, by the package that wrote it."""
    needed = {kind: {key: GIVEN.get(key, 2) for key in KINDS[kind] if is_required(kind, key)} for kind in KINDS}
    needed["Activation"] = {"activation": "relu"}
    program = [sys.executable, TESTS / "support" / "keras_fields.py", json.dumps(needed)]
    quiet = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    run = subprocess.run(program, env={**os.environ, **quiet}, stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout)


def is_required(kind: str, key: str) -> bool:
    field = KINDS[kind][key]
    return field.default is REQUIRED if isinstance(field, Field) else key in GIVEN


def read(package: str, entry: Mapping[str, Any]) -> Layer:
    model = {"class_name": "Sequential", "config": {"name": "m", "layers": [entry]}}
    (layer,) = translate({"keras_version": VERSIONS[package], "model_config": model}).layers
    assert isinstance(layer, Layer)
    return layer


@NEEDS_KERAS
@pytest.mark.parametrize("package", VERSIONS)
def test_every_field_that_keras_writes_of_a_layer_is_known(package: str, written: Mapping[str, Any]) -> None:
    assert written[package].keys() == KINDS.keys() - LACKING[package]
    for kind, entry in written[package].items():
        assert read(package, entry).kind == kind


@NEEDS_KERAS
def test_the_defaults_are_those_of_keras_2(written: Mapping[str, Any]) -> None:
    """A layer that leaves out what has a default is the layer that Keras 2 writes in full."""
    for kind, entry in written["tf_keras"].items():
        needed = ["name", *(key for key in KINDS[kind] if is_required(kind, key))]
        given = {key: value for key, value in entry["config"].items() if key in needed}
        lean, full = (read("tf_keras", {**entry, "config": config}).options for config in (given, entry["config"]))
        lean = {
            key: value for key, value in lean.items() if key != "reset_after"
        }  # older than the field are those that leave it out
        for key, value in lean.items() if kind != "Activation" else ():
            assert _equal(value, full[key]), (kind, key, value, full[key])


@pytest.mark.parametrize("package", VERSIONS)
def test_a_gru_from_before_reset_after_resets_before(package: str) -> None:
    assert read(package, {"class_name": "GRU", "config": {"units": 2}}).options["reset_after"] is False


def _equal(short: object, full: object) -> bool:
    """Strides of null mean the size of the pool; Keras 2 keeps some numbers in 32 bits."""
    if isinstance(full, float) and isinstance(short, float):
        return short == pytest.approx(full)
    return short == full or short is None
