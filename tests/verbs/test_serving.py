"""`[serving] warmup`: requests that a server runs when it loads a bundle."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundler
from bundler.bundle import Bundle
from bundler.errors import ManifestError, VerificationError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from bundler.runtimes.tensorflow import Runtime
from bundler.serving.tfrecord import tfrecord
from bundler.serving.warmup import FILE, request
from tests.support.models import placeholder, write_model
from tests.support.places import MANIFESTS

CHECKS = """
[[check]]
signature = "moments"
file = "moments.npz"

[[check]]
signature = "moments"
inputs = { batch = { shape = [3, 8], values = [1, 2] } }
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """The manifest of the repository, with a warm-up."""
    shutil.copytree(MANIFESTS / "models", tmp_path / "models")
    text = (MANIFESTS / "tiny.toml").read_text()
    path = tmp_path / "tiny.toml"
    path.write_text(
        f"{text.replace('[bundle]', f'[bundle]{chr(10)}output = {chr(34)}out{chr(34)}')}\n[serving]\nwarmup = true\n"
    )
    return path


def appended(manifest: Path, text: str) -> Path:
    manifest.write_text(manifest.read_text() + text)
    return manifest


def records(bundle: Path) -> list[bytes]:
    """The contents of the records."""
    content, found = (bundle / FILE).read_bytes(), []
    while content:
        size = int.from_bytes(content[:8], "little")
        found.append(content[12 : 12 + size])
        assert tfrecord(found[-1]) == content[: size + 16]
        content = content[size + 16 :]
    return found


def test_each_signature_without_a_check_gets_zeros_of_its_shape(manifest: Path) -> None:
    report = bundler.build(manifest)
    assert report.output is not None
    assert records(report.output) == [
        request("tiny", "edge_gradients", {"image": np.zeros((4, 64, 64, 1), np.float32)}),
        request("tiny", "edge_strength", {"image": np.zeros((4, 64, 64, 1), np.float32)}),
        request("tiny", "moments", {"batch": np.zeros((4, 8), np.float32)}),
        request("tiny", "serving_default", {"pixels": np.zeros((4, 64), np.float32)}),
    ]
    assert report.checks[-1].name == "warm-up"
    assert report.checks[-1].detail == "4 requests in 302 bytes"


def test_a_check_gives_its_inputs_as_they_are(manifest: Path) -> None:
    batch = np.arange(16, dtype=np.float32).reshape(2, 8)
    np.savez(manifest.parent / "moments.npz", **{"inputs/batch": batch})
    report = bundler.build(appended(manifest, CHECKS), check=False)
    assert report.output is not None
    of_moments = [record for record in records(report.output) if b"moments" in record]
    assert of_moments[0] == request("tiny", "moments", {"batch": batch})
    assert len(of_moments) == 2
    first = (report.output / FILE).read_bytes()
    assert bundler.build(manifest, check=False, force=True).output is not None
    assert (report.output / FILE).read_bytes() == first


def test_a_bundle_is_up_to_date_until_the_file_of_a_check_changes(manifest: Path) -> None:
    for value in (1, 2):
        np.savez(manifest.parent / "moments.npz", **{"inputs/batch": np.full((2, 8), value, np.float32)})
        report = bundler.build(manifest if value == 2 else appended(manifest, CHECKS), check=False)
        assert not report.up_to_date
        assert bundler.build(manifest, check=False).up_to_date


def test_without_the_key_the_bytes_of_a_bundle_are_those_of_before(manifest: Path, tmp_path: Path) -> None:
    plain = bundler.build(appended(manifest, ""), output=tmp_path / "warm", check=False)
    manifest.write_text(manifest.read_text().replace("warmup = true", "warmup = false"))
    cold = bundler.build(manifest, output=tmp_path / "cold", check=False)
    before = bundler.build(MANIFESTS / "tiny.toml", output=tmp_path / "before", check=False)
    assert plain.output and cold.output and before.output
    assert not (cold.output / FILE).exists()
    graphs = {(each / "saved_model.pb").read_bytes() for each in (plain.output, cold.output, before.output)}
    assert len(graphs) == 1


def test_a_request_that_tensorflow_refuses_stops_the_build(manifest: Path) -> None:
    check = '\n[[check]]\nsignature = "edge_strength"\nfile = "image.npz"\n'
    np.savez(manifest.parent / "image.npz", **{"inputs/image": np.zeros((1, 3, 3, 7), np.float32)})
    with pytest.raises(VerificationError, match=r"signature 'edge_strength': warm-up: .*TensorFlow: "):
        bundler.build(appended(manifest, check))
    assert not (manifest.parent / "out").exists()


class Notes:
    """A progress that keeps notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def start(self, what: str, size: int | None = None, *, count: int | None = None) -> None: ...

    def advance(self, amount: int = 1) -> None: ...

    def finish(self) -> None: ...


def test_a_signature_that_takes_none_of_our_inputs_has_no_request_and_a_note(tmp_path: Path) -> None:
    nodes = [
        placeholder("x", None),
        new_node("Reshape", "y", ["x", "shape"], T=DType.float32, Tshape=DType.int32),
    ]
    write_model(tmp_path / "odd", nodes, {"shape": np.array([1_000_003], np.int32)})
    (tmp_path / "odd.toml").write_text(
        '[bundle]\nname = "odd"\noutput = "out"\n[serving]\nwarmup = true\n[[model]]\nname = "odd"\nsource = "odd"\n'
    )
    progress = Notes()
    report = bundler.build(tmp_path / "odd.toml", check=False, progress=progress)
    assert report.output is not None
    assert records(report.output) == []
    (note,) = progress.notes
    assert note.startswith("signature 'serving_default' has no request for the warm-up: give it a [[check]] (")


def test_a_server_takes_a_thousand_requests(manifest: Path) -> None:
    check = '\n[[check]]\nsignature = "moments"\n'
    with pytest.raises(ManifestError, match=r"fewer requests for its warm-up \(found 1,001, expected at most 1,000\)"):
        bundler.build(appended(manifest, check * 1001), check=False)


@pytest.mark.slow
def test_servings_messages_and_tensorflows_reader_replay_the_file(manifest: Path) -> None:
    pytest.importorskip("tensorflow_serving")
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    np.savez(manifest.parent / "moments.npz", **{"inputs/batch": np.ones((2, 8), np.float32)})
    output = bundler.build(appended(manifest, CHECKS)).output
    assert output is not None
    bundle, keys = Bundle.open(output), []
    with Runtime() as runtime:
        for record in tf.data.TFRecordDataset(str(output / FILE)).as_numpy_iterator():
            log: Any = prediction_log_pb2.PredictionLog.FromString(record)
            called = log.predict_log.request
            endpoint = bundle.endpoint(called.model_spec.signature_name)
            inputs = {name: tf.make_ndarray(value) for name, value in called.inputs.items()}
            assert inputs.keys() == endpoint.signature.inputs.keys()
            assert endpoint.call(runtime, inputs).keys() == endpoint.signature.outputs.keys()
            keys.append(endpoint.key)
    assert keys == ["edge_gradients", "edge_strength", "moments", "moments", "serving_default"]
