"""A file or folder of another format is an error that says what it is and what to do."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from bundler import sources
from bundler.artifacts import artifact
from bundler.errors import SourceError
from bundler.ir.nodes import new_node
from tests.support.models import placeholder, read_model, write_model

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
HTML = b"\n<!DOCTYPE html>\n<html lang=en><title>Not found</title></html>"
HDF5 = b"\x89HDF\r\n\x1a\n" + b"\0" * 100
TFLITE = b"\x1c\0\0\0TFL3" + b"\0" * 100


def error_of(path: Path) -> tuple[str, str]:
    with pytest.raises(SourceError) as caught:
        artifact.open(path)
    (fault,) = caught.value.faults
    assert fault.where == str(path)
    return fault.what, fault.hint


@pytest.mark.parametrize(
    ("name", "content", "what", "do"),
    [
        ("model.h5", HDF5, "is a Keras model in an HDF5 file", "--input_format=keras model.h5 web_model"),
        ("model.json", HDF5, "is a Keras model in an HDF5 file", "tensorflowjs_converter --input_format=keras "),
        ("model.keras", b"PK\x03\x04", "is a Keras 3 model", "--input_format=keras_keras"),
        ("model.tflite", TFLITE, "is a TensorFlow Lite model", "the model that it was made from"),
        ("model", TFLITE, "is a TensorFlow Lite model", "the model that it was made from"),
        ("model.onnx", b"\x08\x07\x12\x07pytorch", "is an ONNX model", "onnx2tf"),
        ("model.pt", b"PK\x03\x04", "is a PyTorch model", "ONNX"),
        ("frozen.pb", b"\x0a\x03\x0a\x01x", "is a graph of TensorFlow, not of TensorFlow.js", "=tf_frozen_model"),
        ("saved_model.pb", b"\x08\x01", "is a TensorFlow SavedModel", "=tf_saved_model"),
        ("model.json", HTML, "is a page of HTML", "browser"),
        ("model.json", b"<!-- x --><HTML>", "is a page of HTML", "browser"),
        ("model.min.js", b"!function(e){", "is a JavaScript module, not JSON", "model.min.js > model.json"),
        ("model.json", b"<!-- x --><!-- y -->\n<body>", "is a page of HTML", "browser"),
        ("model.json", b"<?xml version='1.0'?><Error/>", "is a page of XML", "server"),
        ("model.json", LFS, "is a pointer of Git LFS, not the file itself", "git lfs pull"),
        ("model", b"PK\x03\x04", "is a zip archive", ".zip"),
    ],
)
def test_a_file_of_another_format(tmp_path: Path, name: str, content: bytes, what: str, do: str) -> None:
    (tmp_path / name).write_bytes(content)
    found, hint = error_of(tmp_path / name)
    assert found == what
    assert do in hint


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["saved_model.pb", "variables/variables.index"], "is a TensorFlow SavedModel"),
        (["README", "model.h5"], "has model.h5, which is a Keras model in an HDF5 file"),
        (["labels.txt", "model.tflite"], "has model.tflite, which is a TensorFlow Lite model"),
    ],
)
def test_a_folder_of_another_format(tmp_path: Path, names: list[str], what: str) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert error_of(tmp_path)[0] == what


def test_an_archive_of_another_format(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr("export/saved_model.pb", b"")
    with pytest.raises(SourceError, match="export: is a TensorFlow SavedModel"):
        sources.fetch("model.zip", tmp_path, cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("https://tfhub.dev/google/tfjs-model/imagenet/mobilenet_v2/1/default/1", "is a page of a model hub"),
        ("https://www.kaggle.com/models/google/mobilenet-v2/tfJs/default/1", "is a page of a model hub"),
        ("https://example.invalid/model.h5", "is a Keras model in an HDF5 file"),
        ("https://example.invalid/model.tflite", "is a TensorFlow Lite model"),
    ],
)
def test_an_address_of_another_format(tmp_path: Path, address: str, what: str) -> None:
    with pytest.raises(SourceError) as caught:
        sources.fetch(address, tmp_path, cache=tmp_path / "cache")
    assert str(caught.value) == f"{address}: {what}"


FLOATS, STRINGS = np.ones(99, np.float32), [b"a", b"b"]


@pytest.mark.parametrize(
    ("value", "content", "what"),
    [
        (FLOATS, HTML, "the shard is a page of HTML"),
        (FLOATS, LFS, "the shard is a pointer of Git LFS, not the file itself"),
        (FLOATS, b"404: Not Found", "the shard is text: '404: Not Found'"),
        (FLOATS, b"\x00\x01\x02", "the weights do not fit their files: group1-shard1of1.bin"),
        (STRINGS, HTML, "the shard is a page of HTML"),
        (STRINGS, LFS, "the shard is a pointer of Git LFS, not the file itself"),
    ],
)
def test_a_shard_that_is_something_else(
    tmp_path: Path, value: np.ndarray | list[bytes], content: bytes, what: str
) -> None:
    path = write_model(tmp_path, [placeholder("x"), new_node("Identity", "y", ["x"])], {"w": value})
    (tmp_path / "group1-shard1of1.bin").write_bytes(content)
    with pytest.raises(SourceError) as caught:
        read_model(path)
    assert caught.value.faults[0].what == what
