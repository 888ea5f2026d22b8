"""Exports: the file has the bundle's numbers, or there is no file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import bundler
from bundler import BundlerError, ConversionError, VerificationError
from bundler.cli import main
from bundler.exports import check
from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from bundler.report.exported import ExportedOutput
from bundler.runtimes.exporters import Exporter
from tests.support.models import placeholder, write_model
from tests.support.places import MANIFESTS

FLOAT = DType.float32


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "tiny"
    bundler.build(MANIFESTS / "tiny.toml", output=folder)
    return folder


@pytest.mark.long
def test_all_signatures_of_a_bundle_are_in_one_tflite_file(tiny: Path, tmp_path: Path) -> None:
    exported = bundler.export(tiny, format="tflite", output=tmp_path / "tiny.tflite")
    assert exported.signatures == ("edge_gradients", "edge_strength", "moments", "serving_default")
    assert exported.bytes == (tmp_path / "tiny.tflite").stat().st_size
    assert max(output.relative for output in exported.outputs) < 1e-6
    pixels = np.random.default_rng(0).random((2, 64)).astype(np.float32)
    with Exporter("tflite") as exporter:
        found = exporter.run(tmp_path / "tiny.tflite", "serving_default", {"pixels": pixels})
    expected = bundler.run(tiny, "serving_default", {"pixels": pixels})
    np.testing.assert_allclose(found["probabilities"], expected["probabilities"], atol=1e-6)


@pytest.mark.long
def test_the_weights_of_a_tflite_file_can_be_halved_and_the_errors_of_both_are_shown(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    nodes = [placeholder("x", 1, 64), new_node("MatMul", "y", ["x", "w"], T=FLOAT)]
    write_model(tmp_path / "m", nodes, {"w": weight})
    (tmp_path / "b.toml").write_text('[bundle]\nname = "b"\n\n[[model]]\nname = "m"\nsource = "m"\n')
    bundler.build(tmp_path / "b.toml", output=tmp_path / "b")
    exported = bundler.export(tmp_path / "b", format="tflite", output=tmp_path / "b.tflite", float16=True)
    assert exported.bytes_before is not None and exported.bytes < 0.65 * exported.bytes_before
    (output,) = exported.outputs
    assert output.before is not None and output.before < 1e-5 < output.relative < 1e-2
    with pytest.raises(VerificationError, match="the file's output differs from the bundle's"):
        bundler.export(tmp_path / "b", format="tflite", output=tmp_path / "c.tflite", float16=True, rtol=1e-5)
    assert not (tmp_path / "c.tflite").exists()


STEPS = """
[[signature]]
key = "bytes"
inputs = { images = "string[?]" }
outputs = ["z"]
steps = [{ map = [{ op = "decode_image" }, { op = "resize_bilinear", size = [2, 2] }] }, { op = "neg", as = "z" }]
"""


@pytest.mark.long
def test_steps_that_tflite_lacks_are_named(tmp_path: Path) -> None:
    write_model(tmp_path / "m", [placeholder("x", 3), new_node("Neg", "y", ["x"], T=FLOAT)])
    (tmp_path / "b.toml").write_text(f'[bundle]\nname = "b"\n\n[[model]]\nname = "m"\nsource = "m"\n{STEPS}')
    bundler.build(tmp_path / "b.toml", output=tmp_path / "b")
    with pytest.raises(ConversionError) as error:
        bundler.export(tmp_path / "b", format="tflite", output=tmp_path / "b.tflite")
    (fault,) = error.value.faults
    assert fault.where == "signature 'bytes': step 1: map of decode_image, resize_bilinear"
    assert fault.what.startswith("TFLite has no builtin op for DecodeJpeg (bytes/0.map/0.decode_image/DecodeJpeg")
    assert fault.hint == "let callers do what these steps do, or name signatures without them: --signature KEY"


@pytest.mark.long
def test_ops_that_tflite_lacks_are_named_and_no_file_is_left(tmp_path: Path) -> None:
    write_model(tmp_path / "m", [placeholder("x", 3), new_node("Erf", "y", ["x"], T=FLOAT)])
    (tmp_path / "b.toml").write_text('[bundle]\nname = "b"\n\n[[model]]\nname = "m"\nsource = "m"\n')
    bundler.build(tmp_path / "b.toml", output=tmp_path / "b")
    with pytest.raises(ConversionError) as error:
        bundler.export(tmp_path / "b", format="tflite", output=tmp_path / "b.tflite")
    assert str(error.value) == "TFLite has no builtin op for Erf (m/y)"
    assert not (tmp_path / "b.tflite").exists()


@pytest.mark.long
def test_one_signature_becomes_an_onnx_file_named_for_it(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tf2onnx")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(
        main, ["export", str(tiny), "--format", "onnx", "--signature", "serving_default", "--json"]
    )
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert (document["output"], document["signatures"]) == ("tiny-serving_default.onnx", ["serving_default"])
    assert document["outputs"][0]["relative"] < 1e-6


MISTAKES = [
    ({"format": "onnx"}, "an ONNX file has one signature"),
    ({"format": "onnx", "signatures": ["moments"], "float16": True}, "only TFLite files have float16 weights"),
    ({"format": "tflite", "signatures": ["moment"]}, "there is no signature 'moment'"),
]


@pytest.mark.parametrize(("asked", "error"), MISTAKES)
def test_what_cannot_be_exported_is_an_error_at_once(tiny: Path, asked: dict[str, object], error: str) -> None:
    with pytest.raises(BundlerError, match=error):
        bundler.export(tiny, **asked)  # type: ignore[arg-type]


def test_a_missing_extra_is_an_error_that_names_it(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(BundlerError) as error:
        bundler.export(tiny, format="onnx", signatures=["moments"])
    assert error.value.faults[0].hint == "pip install 'tfjs-bundler[onnx]'"


def test_saturated_outputs_may_differ_by_a_millionth_whatever_their_size() -> None:
    check([ExportedOutput("k", "saturated", absolute=9e-7, relative=0.5)], 1e-3)
    with pytest.raises(VerificationError) as error:
        check([ExportedOutput("k", "y", absolute=2e-6, relative=0.5)], 1e-3)
    assert str(error.value) == (
        "signature 'k': output 'y': the file's output differs from the bundle's"
        " (found 0.5 of its largest value, expected at most 0.001)"
    )
