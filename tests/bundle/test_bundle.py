"""A written bundle, called as a server calls it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler.bundle import Bundle, is_bundle
from bundler.errors import BundlerError, SourceError
from bundler.runtimes.tensorflow import Runtime
from tests.support.places import ROOT


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "tiny"
    bundler.build(ROOT / "manifests" / "tiny.toml", output=folder)
    return folder


def test_an_endpoint_takes_and_gives_values_by_the_names_of_its_signature(tiny: Path) -> None:
    bundle = Bundle.open(tiny)
    with Runtime() as runtime:
        outputs = bundle.endpoint("serving_default").call(runtime, {"pixels": np.zeros((2, 64), np.float32)})
    assert {name: value.shape for name, value in outputs.items()} == {"probabilities": (2, 10)}


def test_a_key_that_is_not_there_is_an_error_with_the_nearest_key(tiny: Path) -> None:
    with pytest.raises(BundlerError) as error:
        Bundle.open(tiny).endpoint("serving_defualt")
    (fault,) = error.value.faults
    assert fault.hint == "did you mean 'serving_default'?"


def test_a_folder_without_a_saved_model_is_an_error(tmp_path: Path) -> None:
    assert not is_bundle(tmp_path)
    with pytest.raises(SourceError, match=r"saved_model\.pb: cannot be read"):
        Bundle.open(tmp_path)
