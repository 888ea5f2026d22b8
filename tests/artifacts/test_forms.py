"""The forms of a stored model: each builds as the same model in the form of files does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundler
from bundler import manifest
from bundler.artifacts import artifact
from bundler.errors import SourceError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from bundler.report.record import up_to_date
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.support.models import placeholder, read_model, write_model

WEIGHT = np.arange(6, dtype=np.float32).reshape(3, 2)
NODES = [placeholder("x", None, 3), new_node("MatMul", "y", ["x", "w"], T=DType.float32)]
SIGNATURE = {"inputs": {"image": {"name": "x:0"}}, "outputs": {"score": {"name": "y:0"}}}

Document = dict[str, Any]


@pytest.fixture
def document(tmp_path: Path) -> Document:
    """The model in the form of files; its one shard is gone."""
    path = write_model(tmp_path / "files", NODES, {"w": WEIGHT}, signature=SIGNATURE)
    found: Document = json.loads(path.read_text())
    return found


def written(tmp_path: Path, document: object, name: str = "model.json") -> Path:
    folder = tmp_path / "stored"
    folder.mkdir()
    (folder / name).write_text(json.dumps(document))
    return folder / name


def specs(document: Document, **more: object) -> Document:
    """The document with weightSpecs in place of its weightsManifest."""
    (group,) = document["weightsManifest"]
    rest = {key: value for key, value in document.items() if key != "weightsManifest"}
    return {**rest, "weightSpecs": group["weights"], **more}


def storage(document: Document, name: str = "m", **without: None) -> dict[str, str]:
    """What `model.save('localstorage://m')` leaves in the storage of a page."""
    parts = specs(document)
    metadata = {key: parts[key] for key in ("format", "signature")}
    values = {
        "info": json.dumps({"dateSaved": "2020-01-01T00:00:00.000Z"}),
        "model_topology": json.dumps(parts["modelTopology"]),
        "weight_specs": json.dumps(parts["weightSpecs"]),
        "weight_data": base64.b64encode(WEIGHT.tobytes()).decode(),
        "model_metadata": json.dumps(metadata),
    }
    return {f"tensorflowjs_models/{name}/{key}": value for key, value in values.items() if key not in without}


RAW = WEIGHT.tobytes()
BASE64 = base64.b64encode(RAW).decode()
DATA = {
    "base64": BASE64,
    "base64 in lines": f"{BASE64[:8]}\n{BASE64[8:]}\n",
    "base64 of browsers' data URLs": f"data:application/octet-stream;base64,{BASE64}",
    "a list of bytes": list(RAW),
    "a Uint8Array": {str(index): value for index, value in enumerate(RAW)},
    "a Buffer of Node": {"type": "Buffer", "data": list(RAW)},
    "parts in base64": [base64.b64encode(part).decode() for part in (RAW[:7], RAW[7:])],
}


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_weights_in_the_document_are_those_of_the_shards(tmp_path: Path, document: Document, data: object) -> None:
    model = read_model(written(tmp_path, specs(document, weightData=data)))
    assert np.array_equal(model.graph.weights["w"].array(), WEIGHT)
    assert model.signatures == read_model(tmp_path / "files").signatures


@pytest.mark.parametrize("name", ["weights.bin", "model.weights.bin", "digits.weights.bin"])
def test_weights_beside_a_document_without_a_manifest_are_found(tmp_path: Path, document: Document, name: str) -> None:
    path = written(tmp_path, specs(document, weightData={}), "digits.json")  # {} is what JSON makes of an ArrayBuffer
    path.with_name(name).write_bytes(RAW)
    opened = artifact.open(path)
    assert opened.files == ("digits.json", name)
    assert np.array_equal(read_model(path).graph.weights["w"].array(), WEIGHT)


def of_indexed_db(document: Document) -> Document:
    return {"modelPath": "m", "modelArtifacts": specs(document, weightData=DATA["a Uint8Array"])}


def with_other_entries(document: Document) -> Document:
    return {"theme": "dark", **storage(document, "a/b")}


def of_an_app(document: Document) -> Document:
    return {
        "tensorflowjs_models/m/model_without_weight": json.dumps(specs(document)),
        "tensorflowjs_models/m/weight_data": BASE64,
    }


def of_an_app_in_pieces(document: Document) -> Document:
    pieces = {f"tensorflowjs_models/m/weight_data:{index}": BASE64[index * 3 :][:3] for index in range(11)}
    return {
        **dict(reversed(pieces.items())),
        "tensorflowjs_models/m/model_without_weight": json.dumps(specs(document)),
        "tensorflowjs_models/m/weight_data_size": 11,
    }


def of_texts(document: Document) -> Document:
    found = specs(document, weightData=BASE64)
    return {
        **found,
        "modelTopology": json.dumps(found["modelTopology"]),
        "weightSpecs": json.dumps(found["weightSpecs"]),
    }


FORMS = [storage, with_other_entries, of_indexed_db, of_an_app, of_an_app_in_pieces, of_texts]


@pytest.mark.parametrize("form", FORMS)
def test_what_browsers_keep_is_read(tmp_path: Path, document: Document, form: Callable[[Document], Document]) -> None:
    model = read_model(written(tmp_path, form(document)))
    assert np.array_equal(model.graph.weights["w"].array(), WEIGHT)
    assert model.signatures == read_model(tmp_path / "files").signatures


def test_a_model_without_weights_needs_no_data(tmp_path: Path) -> None:
    nodes = [placeholder("x", 2), new_node("Relu", "y", ["x"], T=DType.float32)]
    found = json.loads(write_model(tmp_path / "files", nodes).read_text())
    del found["weightsManifest"]
    assert read_model(written(tmp_path, {**found, "weightSpecs": []})).graph.weights == {}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (
            lambda document: specs(document),
            "the weights are missing: the file has weightSpecs, but no weightData"
            " (expected weightData in base64, or a file model.weights.bin or weights.bin beside it)",
        ),
        (
            lambda document: specs(document, weightSpecs={"w": 1}),
            "weightSpecs is malformed (expected a list of weights)",
        ),
        (
            lambda document: specs(document, weightData="%%%"),
            "weightData is malformed (found '%%%', expected base64, or a list of bytes)",
        ),
        (
            lambda document: specs(document, weightData=[0.5, 256]),
            "weightData is malformed (found '[0.5, 256]', expected base64, or a list of bytes)",
        ),
        (
            lambda document: {**storage(document, "m"), **storage(document, "n")},
            "holds several models (found 'm', 'n')",
        ),
        (
            lambda document: storage(document, model_topology=None),
            "the model has no topology (expected the key 'tensorflowjs_models/m/model_topology')",
        ),
        (
            lambda document: {**storage(document), "tensorflowjs_models/m/model_topology": "{"},
            "is not JSON (found Expecting property name enclosed in double quotes at line 1, column 2)",
        ),
    ],
)
def test_what_is_missing_or_malformed_is_an_error_of_the_file(
    tmp_path: Path, document: Document, change: Callable[[Document], Document], error: str
) -> None:
    path = written(tmp_path, change(document))
    with pytest.raises(SourceError) as caught:
        read_model(path)
    assert str(caught.value) == f"{path}: {error}"


def test_data_of_another_size_than_the_weights_is_an_error(tmp_path: Path, document: Document) -> None:
    path = written(tmp_path, specs(document, weightData=BASE64[:16]))
    with pytest.raises(SourceError) as caught:
        read_model(path)
    assert str(caught.value) == (
        "model.json: weightsManifest[0]: the weights do not fit weightData (found 12 bytes, expected 24)"
    )


def test_it_builds_and_gives_the_numbers_of_tensorflowjs(
    tmp_path: Path, document: Document, runtime: Runtime, javascript: TensorFlowJs
) -> None:
    written(tmp_path, storage(document))
    entries = {"bundle": {"name": "b"}, "model": [{"name": "m", "source": "stored"}]}
    bundler.build(manifest.of(entries, tmp_path / "manifest.toml"), output=tmp_path / "b")
    image = np.array([[1, -1, 2]], np.float32)
    (found,) = runtime.run(tmp_path / "b", ["serve"], {"m/x": image}, ["m/y"])
    (expected,) = javascript.run(tmp_path / "files" / "model.json", {"x": image}, ["y"]).values()
    assert np.allclose(found, expected, rtol=1e-6)


def test_a_bundle_is_up_to_date_as_long_as_the_data_beside_the_document_is(tmp_path: Path, document: Document) -> None:
    path = written(tmp_path, specs(document))
    path.with_name("weights.bin").write_bytes(RAW)
    entries = {"bundle": {"name": "b"}, "model": [{"name": "m", "source": "stored"}]}
    asked, output = manifest.of(entries, tmp_path / "manifest.toml"), tmp_path / "b"
    bundler.build(asked, output=output, check=False)
    assert up_to_date(output, asked, checked=False) is not None
    path.with_name("weights.bin").write_bytes(RAW[::-1])
    assert up_to_date(output, asked, checked=False) is None
