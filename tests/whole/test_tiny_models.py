from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.generate import tiny_models
from tests.support.places import MANIFESTS

COMMITTED = MANIFESTS / "models"


@pytest.mark.parametrize("name", tiny_models.models())
def test_the_generator_gives_the_files_in_the_repository(name: str) -> None:
    committed = {path.name: path.read_bytes() for path in (COMMITTED / name).iterdir()}
    assert tiny_models.files(tiny_models.models()[name]) == committed


def test_every_tiny_model_of_the_repository_is_generated() -> None:
    assert {path.name for path in COMMITTED.iterdir()} == set(tiny_models.models())


@pytest.mark.parametrize("digit", range(10))
def test_digits_reads_each_digit_with_any_pixel_wrong(digit: int) -> None:
    images = tiny_models.drawn(digit) ^ np.vstack([np.zeros(64, np.int64), np.eye(64, dtype=np.int64)])
    assert (_scores(tiny_models.digits().weights, images).argmax(axis=1) == digit).all()


def test_a_weight_of_digits_spans_two_shards() -> None:
    model = tiny_models.digits()
    ends = np.cumsum([weight.nbytes for weight in model.weights.values()])
    assert model.shard_bytes < ends[-1]
    assert model.shard_bytes not in ends


def _scores(weights: Mapping[str, Any], images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What the graph computes before its softmax."""
    hidden_kernel, hidden_bias, kernel, bias = weights.values()
    return np.maximum(images @ hidden_kernel + hidden_bias, 0) @ kernel + bias
