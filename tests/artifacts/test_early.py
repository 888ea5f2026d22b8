"""Models from before TensorFlow.js 1.0: a GraphDef and a weights_manifest.json."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler import manifest, sources, tfjs
from bundler.artifacts import artifact
from bundler.errors import SourceError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.support.models import placeholder, read_model, write_early, write_model

WEIGHT = np.arange(6, dtype=np.float32).reshape(3, 2)
SHARD = "group1-shard1of1"


def write(folder: Path, graph: str = "tensorflowjs_model.pb") -> Path:
    """A model as TensorFlow.js 0.x has it; as of today it lies in `folder`.new."""
    nodes = [
        placeholder("x", None, 3),
        new_node("MatMul", "y", ["x", "w"], T=DType.float32, transpose_b=False),
        new_node("LeakyRelu", "z", ["y"], T=DType.float32, alpha=0.25),
    ]
    return write_early(write_model(folder.with_suffix(".new"), nodes, {"w": WEIGHT}), folder, graph)


@pytest.mark.parametrize("graph", ["tensorflowjs_model.pb", "web_model.pb", "model.pb", "mobilenet.pb"])
@pytest.mark.parametrize("named", ["", "{}", "weights_manifest.json"])
def test_a_model_is_the_same_before_1_0_and_after(tmp_path: Path, graph: str, named: str) -> None:
    folder = write(tmp_path / "early", graph)
    opened = artifact.open(folder / named.format(graph))
    model = tfjs.read(opened)
    assert opened.files == (graph, "weights_manifest.json", SHARD)
    assert model.graph.nodes == read_model(tmp_path / "early.new").graph.nodes
    assert np.array_equal(model.graph.weights["w"].array(), WEIGHT)
    ((signature),) = model.signatures.values()
    assert (list(signature.inputs), list(signature.outputs)) == (["x"], ["z"])


def test_it_builds_and_gives_the_numbers_of_tensorflowjs(
    tmp_path: Path, runtime: Runtime, javascript: TensorFlowJs
) -> None:
    write(tmp_path / "early")
    entries = {"bundle": {"name": "b"}, "model": [{"name": "m", "source": "early"}]}
    bundler.build(manifest.of(entries, tmp_path / "manifest.toml"), output=tmp_path / "b")
    image = np.array([[1, -1, 2]], np.float32)
    (found,) = runtime.run(tmp_path / "b", ["serve"], {"m/x": image}, ["m/z"])
    (expected,) = javascript.run(tmp_path / "early.new" / "model.json", {"x": image}, ["z"]).values()
    assert np.allclose(found, expected, rtol=1e-6)


def test_it_is_found_in_an_archive(tmp_path: Path) -> None:
    write(tmp_path / "early", "web_model.pb")
    with tarfile.open(tmp_path / "early.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "early", "some/folder")
    for source in ("early.tar.gz", "early.tar.gz#some/folder", "early.tar.gz#some/folder/web_model.pb"):
        found = sources.fetch(source, tmp_path, cache=tmp_path / "cache")
        assert found.digest == artifact.open(tmp_path / "early").digest


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("tensorflowjs_model.pb", b"\xff" * 20, "is no graph"),
        ("tensorflowjs_model.pb", b"<!DOCTYPE html><html>", "is a page of HTML"),
        ("weights_manifest.json", b'{"a": 1}', "weightsManifest is malformed"),
        ("weights_manifest.json", b"oops", "is not JSON"),
    ],
)
def test_files_that_are_broken_are_an_error_of_the_file(tmp_path: Path, name: str, content: bytes, what: str) -> None:
    folder = write(tmp_path / "early")
    (folder / name).write_bytes(content)
    with pytest.raises(SourceError) as caught:
        artifact.open(folder)
    (fault,) = caught.value.faults
    assert (fault.where, fault.what) == (str(folder / name), what)


def test_a_graph_without_its_manifest_is_an_error_that_says_what_belongs_to_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "early")
    (folder / "weights_manifest.json").unlink()
    with pytest.raises(SourceError, match=r"there is no weights_manifest\.json beside the graph"):
        artifact.open(folder)


def test_a_model_json_goes_before_a_graph(tmp_path: Path) -> None:
    folder = write(tmp_path / "early")
    shutil.copy(tmp_path / "early.new" / "model.json", folder)
    shutil.copy(tmp_path / "early.new" / "group1-shard1of1.bin", folder)
    assert artifact.open(folder).entry == "model.json"
