"""The manifests in `examples` build, and give what TensorFlow.js gives for a photograph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler import sources
from bundler.bundle import Bundle
from bundler.runtimes.tensorflow import Runtime
from tests.support.places import ROOT

EXAMPLES = {path.stem: path for path in sorted((ROOT / "examples").glob("*.toml"))}
PHOTOGRAPH = "npm:@vladmandic/human@3.3.6/models/blazeface.json"
"""A package that has a photograph of faces beside this model."""
pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture(scope="module")
def photograph() -> bytes:
    return (sources.find(PHOTOGRAPH, Path()).parents[1] / "assets" / "samples.jpg").read_bytes()


def test_there_are_examples_of_ten_models() -> None:
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_builds_and_agrees_with_tensorflowjs(name: str, tmp_path: Path, tensorflowjs_modules: Path) -> None:
    report = bundler.build(EXAMPLES[name], output=tmp_path / name)
    assert report.signatures["serving_default"].steps
    found = bundler.verify(EXAMPLES[name], output=tmp_path / name, tfjs=tensorflowjs_modules)
    assert {each.key: each.verdict for each in found.signatures} == dict.fromkeys(report.signatures.names, "ok")


def test_ten_faces_of_a_photograph_have_their_landmarks(
    photograph: bytes, tmp_path: Path, tensorflowjs_modules: Path, runtime: Runtime
) -> None:
    bundler.build(EXAMPLES["faces"], output=tmp_path / "faces")
    path = tmp_path / "faces.npz"
    np.savez(path, **{"inputs/image": np.array(photograph)})
    (tmp_path / "faces.toml").write_text(EXAMPLES["faces"].read_text() + CHECK.format(path))
    found = (
        Bundle.open(tmp_path / "faces")
        .endpoint("serving_default")
        .call(runtime, {"image": np.array(photograph, object)})
    )
    assert found["count"] == 10 and found["points"].shape == (10, 468, 3)
    verified = bundler.verify(tmp_path / "faces.toml", output=tmp_path / "faces", tfjs=tensorflowjs_modules)
    (verdict,) = [each for each in verified.signatures if each.key == "serving_default"]
    assert {output.name: output.verdict for output in verdict.outputs} == dict.fromkeys(found, "ok")


CHECK = '\n[[check]]\nsignature = "serving_default"\nfile = "{}"\nrtol = 1e-3\n'
