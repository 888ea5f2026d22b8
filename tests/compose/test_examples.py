"""The manifests in `examples` build, and give what TensorFlow.js gives for a photograph."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler import manifest, sources
from bundler.comparison import Case, Comparison, Road
from bundler.comparison.origins import Origins
from bundler.comparison.references.browser import Browser
from bundler.comparison.references.chain import Chain
from bundler.comparison.subject import Subject, of_bundle
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.support.places import ROOT, TESTS

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


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    folder = tmp_path_factory.mktemp("faces") / "faces"
    bundler.build(EXAMPLES["faces"], output=folder)
    return of_bundle(folder)._replace(manifest=manifest.read(EXAMPLES["faces"]))


def test_ten_faces_of_a_photograph_have_their_landmarks(photograph: bytes, faces: Subject, runtime: Runtime) -> None:
    found = faces.bundle.endpoint("serving_default").call(runtime, {"image": np.array(photograph, object)})
    assert found["count"] == 10 and found["points"].shape == (10, 468, 3)


@pytest.mark.parametrize(("backend", "largest"), [("plain", 1e-4), ("WASM", 2e-5)])
def test_each_step_for_a_photograph_is_that_of_tensorflowjs(
    backend: str, largest: float, photograph: bytes, faces: Subject, tmp_path: Path, runtime: Runtime
) -> None:
    """The plain backend samples the faces with doubles; the WASM backend computes no step otherwise than the bundle."""
    with TensorFlowJs(LIBRARIES[backend]) as javascript:
        chain = Chain(
            Browser(javascript, Origins(faces.bundle, faces.report, tmp_path)), javascript, faces, lambda: None
        )
        comparison = Comparison((Road("session", runtime),), chain)
        case = Case({"image": np.array(photograph, object)})
        (outcome,) = comparison.outcomes(faces.bundle.endpoint("serving_default"), "", case)
    verdict = outcome.verdict
    assert (verdict.verdict, len(verdict.steps)) == ("ok", 48)
    assert {step.name: step.why for step in verdict.steps if step.verdict != "ok"} == {}
    errors = {step.name: step.error or 0 for step in verdict.steps}
    assert max(errors.values()) <= largest
    if backend == "WASM":
        assert {name for name, error in errors.items() if error} <= {name for name in errors if INEXACT.search(name)}


LIBRARIES = {"plain": TESTS / "node" / "node_modules", "WASM": TESTS / "node" / "wasm.js"}
INEXACT = re.compile("face_detect|sigmoid|face_mesh|iris_landmarks")
