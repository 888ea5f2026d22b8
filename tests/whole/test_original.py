"""A model whose original is known: basic-pitch, in TensorFlow.js' format on npm and as a SavedModel on PyPI."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import bundler
from tests.support.answers import ONEDNN, answers

MANIFEST = """
[bundle]
name = "basic-pitch"

[[model]]
name = "basic_pitch"
source = "npm:@spotify/basic-pitch@1.0.1/model/model.json"
"""
ORIGINAL = "basic_pitch/saved_models/icassp_2022/nmp"


@pytest.mark.network
@pytest.mark.slow
def test_basic_pitch_agrees_with_the_saved_model_that_it_was_made_from(tmp_path: Path) -> None:
    (tmp_path / "basic_pitch.toml").write_text(MANIFEST)
    bundle = tmp_path / "bundle"
    bundler.build(tmp_path / "basic_pitch.toml", output=bundle)

    audio = {"input_2": np.random.default_rng(7).uniform(-1, 1, (2, 43844, 1)).astype(np.float32)}
    found = answers(bundle, {"serving_default": audio}, ONEDNN)["serving_default"]
    expected = answers(original(tmp_path), {"serving_default": audio}, ONEDNN)["serving_default"]

    # The converter numbered the outputs anew: their shapes and values identify notes, onsets and contours.
    for name, value in expected.items():
        same = [other for other, output in found.items() if output.shape == value.shape and close(output, value)]
        assert len(same) == 1, f"{name}: {same}"


def close(found: np.ndarray, expected: np.ndarray) -> bool:
    return bool(np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max())


def original(folder: Path) -> Path:
    """The SavedModel in the package's wheel: unpacked, not installed."""
    command = ["pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    subprocess.run([sys.executable, "-m", *command, "basic-pitch==0.4.0"], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith(ORIGINAL + "/")])
    return folder / ORIGINAL
