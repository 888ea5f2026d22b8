"""What `inspect` says of every source, and that it counts the same thing everywhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from click.testing import CliRunner
from google.protobuf import json_format

import bundler
from bundler import manifest
from bundler.api import calls
from bundler.api.asked import AskedModel
from bundler.cli import main
from bundler.errors import BundlerError, SourceError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from bundler.ir.protos import FunctionDef, NameAttrList, NodeDef, OpDef, SavedModel
from bundler.report import ModelReport
from tests.support.elsewhere import call
from tests.support.models import const, placeholder, write_model
from tests.support.places import MANIFESTS

MODELS = MANIFESTS / "models"
EDGES = """\
edges (edges)
  in   image       float32[?, ?, ?, 1]
  out  Identity    float32[?, ?, ?, 3]
  out  Identity_1  float32[?, ?, ?, 1]

model  weights  nodes
edges    148 B     19
  manifests/models/edges
  sha256:7c3ea23694027861363ef69a83ce0f899409597e08bf0758fcba70e2b4e980dc
  graph model by tests/generate/tiny_models.py
  signature of the file's key signature
  weights stored as float16 (5)
  1 FusedDepthwiseConv2dNative becomes DepthwiseConv2dNative, BiasAdd
  1 Prelu becomes Relu, Neg, Mul, AddV2
  1 _FusedConv2D becomes Conv2D, BiasAdd, Relu
  5 Const, 3 Relu, 2 BiasAdd, 2 Identity, 2 Neg, 1 AddV2, 1 Conv2D,
  1 DepthwiseConv2dNative, 1 Mul, 1 Placeholder

manifests/models/edges: 1 signature, 1 model, 4.5 kB
"""


def test_a_model_is_shown_with_its_origin_and_its_rewrites() -> None:
    assert CliRunner().invoke(main, ["inspect", "manifests/models/edges"]).stdout == EDGES


@pytest.mark.parametrize(("columns", "longest"), [("60", 60), ("200", 120)])
def test_op_lists_wrap_to_the_terminal(columns: str, longest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    shown = CliRunner().invoke(main, ["inspect", "manifests/tiny.toml"]).stdout
    ops = [line for line in shown.splitlines() if " Const, " in line]
    assert max(map(len, ops)) <= longest
    assert max(map(len, shown.splitlines())) > 60 or columns == "60"


# One number for nodes, ops and weights -----------------------------------------------------------


def _branches(folder: Path) -> None:
    """A model that calls two functions."""
    argument, result = (OpDef.ArgDef(name=name, type=DType.float32) for name in "xy")
    functions = [
        FunctionDef(
            signature=OpDef(name=name, input_arg=[argument], output_arg=[result]),
            node_def=[new_node(op, "z", ["x"], T=DType.float32).message],
            ret={"y": "z:y:0"},
        )
        for name, op in (("then_1", "Neg"), ("else_1", "Neg"))
    ]
    branches = {"then_branch": NameAttrList(name="then_1"), "else_branch": NameAttrList(name="else_1")}
    types = {"Tcond": DType.bool, "Tin": [DType.float32], "Tout": [DType.float32]}
    go = placeholder("go", dtype=DType.bool)
    write_model(
        folder,
        [go, placeholder("x", 2), new_node("If", "y", ["go", "x"], **types, **branches)],
        {},
        functions=functions,
    )


def _words(folder: Path) -> None:
    """A model with a hash table, which an initializer fills."""
    kinds, types = {"key_dtype": DType.string, "value_dtype": DType.int64}, {"Tin": DType.string, "Tout": DType.int64}
    weights = {"keys": [b"cat", b"dog"], "values": np.array([1, 2], np.int64), "default": np.array(-1, np.int64)}
    table = new_node("HashTableV2", "table", shared_name="table_1", **kinds)
    fill = new_node("LookupTableImportV2", "fill", ["table", "keys", "values"], **types)
    find = new_node("LookupTableFindV2", "found", ["table", "word", "default"], **types)
    constants = [const(name, weights[name]) for name in ("keys", "values")]
    filling = {"node": [json_format.MessageToDict(node.message) for node in (*constants, table, fill)]}
    nodes = [table, placeholder("word", None, dtype=DType.string), find]
    write_model(folder, nodes, weights, modelInitializer=filling, signature={"outputs": {"found": {"name": "found:0"}}})


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of models with functions, a table, quantized weights; two have the same weights."""
    folder = tmp_path_factory.mktemp("mixed")
    _branches(folder / "branches")
    _words(folder / "words")
    shutil.copytree(MODELS, folder, dirs_exist_ok=True)
    shutil.copytree(MODELS / "digits", folder / "digits2")
    names = ["branches", "words", "digits", "digits2", "edges", "moments"]
    tables = [f'[[model]]\nname = "{name}"\nsource = "{name}"\n' for name in names]
    (folder / "mixed.toml").write_text('[bundle]\nname = "mixed"\n' + "".join(tables))
    return folder / "mixed.toml"


@pytest.mark.parametrize("name", ["mixed", pytest.param("zoo", marks=[pytest.mark.network, pytest.mark.slow])])
@pytest.mark.parametrize("weights", ["constants", "variables"])
@pytest.mark.parametrize("layout", ["signatures", "tags"])
def test_a_build_and_its_bundle_have_the_same_numbers(
    name: str, weights: str, layout: str, mixed: Path, manifest_of: Callable[[str], Path], tmp_path: Path
) -> None:
    spec = manifest.read(mixed if name == "mixed" else manifest_of(name))
    tags = {model.name: (model.name,) if layout == "tags" else None for model in spec.models}
    models = [model.model_copy(update={"tags": tags[model.name]}) for model in spec.models]
    given = spec.bundle.model_copy(update={"weights": weights, "layout": layout})
    built = bundler.build(replace(spec, bundle=given, models=tuple(models)), output=tmp_path / "built", check=False)
    found = bundler.inspect(tmp_path / "built")
    assert found.models == built.models
    assert all(sum(model.ops.values()) == model.nodes > 0 for model in found.models)
    assert {signature.key: signature.models for signature in found.signatures} == {
        signature.key: signature.models for signature in built.signatures
    }


def test_a_model_alone_has_the_numbers_that_it_has_in_a_bundle(mixed: Path) -> None:
    """If the bundle gives it no signatures of its own, and no other model has its weights."""
    checked = bundler.check(mixed).models
    alone = [bundler.inspect(mixed.parent / report.source).models[0] for report in checked]
    assert [_numbers(model) for model in alone if model.name != "digits2"] == [
        _numbers(model) for model in checked if model.name != "digits2"
    ]
    assert _numbers(alone[2])[1:] == _numbers(alone[3])[1:]
    assert checked["digits2"].weight_bytes < checked["digits"].weight_bytes


def _numbers(model: ModelReport) -> tuple[object, ...]:
    return model.name, model.nodes, model.weight_bytes, model.ops


def test_a_frozen_graph_has_the_numbers_of_its_model_and_no_signature(tmp_path: Path) -> None:
    made = calls.frozen_graph(AskedModel(str(MODELS / "digits")), tmp_path / "digits.pb")
    found = bundler.inspect(tmp_path / "digits.pb")
    assert found.signatures == ()
    assert found.models[0].ops == made.models[0].ops
    assert found.models[0].weight_bytes == made.models[0].weight_bytes
    shown = CliRunner().invoke(main, ["inspect", str(tmp_path / "digits.pb")]).stdout
    assert shown.splitlines()[-1] == f"{tmp_path}/digits.pb: no signatures, 1 model, 6.3 kB"
    assert shown.splitlines()[0] == "model   weights  nodes"


def test_functions_that_the_graph_does_not_call_are_not_counted(tmp_path: Path) -> None:
    """As those that only `tf.saved_model.load` needs."""
    bundler.build(MANIFESTS / "tiny.toml", output=tmp_path / "tiny", check=False)
    before = bundler.inspect(tmp_path / "tiny")
    path = tmp_path / "tiny" / "saved_model.pb"
    saved = SavedModel.FromString(path.read_bytes())
    body = FunctionDef(node_def=[NodeDef(name="y", op="NoOp")])
    body.signature.name = "__inference_pruned_1"
    saved.meta_graphs[0].graph_def.library.function.append(body)
    path.write_bytes(saved.SerializeToString())
    assert bundler.inspect(tmp_path / "tiny").models == before.models


def test_a_bundle_without_its_record_is_shown_by_its_graphs(tmp_path: Path) -> None:
    built = bundler.build(MANIFESTS / "tiny.toml", output=tmp_path / "tiny", check=False)
    shutil.rmtree(tmp_path / "tiny" / "assets.extra")
    (model,) = bundler.inspect(tmp_path / "tiny").models
    assert (model.name, model.nodes) == ("serve", sum(each.nodes for each in built.models))


def test_a_record_of_another_bundle_is_not_believed(tmp_path: Path) -> None:
    bundler.build(MANIFESTS / "tiny.toml", output=tmp_path / "tiny", check=False)
    record = tmp_path / "tiny" / "assets.extra" / "bundle.json"
    record.write_text(record.read_text().replace("edge_strength", "edge_length"))
    assert bundler.inspect(tmp_path / "tiny").models.names == ("serve",)


def _save_with_tensorflow(folder: str) -> None:
    import tensorflow as tf

    class Doubled(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.w = tf.Variable(np.ones((3, 2), np.float32), name="w")

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, "x")])  # type: ignore[untyped-decorator]
        def serve(self, x: object) -> object:
            return {"y": tf.matmul(x, self.w) * 2.0}

    made = Doubled()
    tf.saved_model.save(made, folder, signatures={"serving_default": made.serve})


def test_a_saved_model_of_tensorflow_is_counted_with_the_functions_that_it_calls(tmp_path: Path) -> None:
    call(_save_with_tensorflow, str(tmp_path / "saved"), environment={})
    found = bundler.inspect(tmp_path / "saved")
    (model,) = found.models
    assert found.signatures["serving_default"].inputs["x"].type == "float32[?, 3]"
    assert (model.name, model.ops["MatMul"], model.weight_bytes) == ("serve", 1, 24 + 4)
    assert bundler.neighbourhood(tmp_path / "saved", "MatMul").node.op == "MatMul"


# Sources -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", ["", "#models/edges", "#models/edges/model.json"])
def test_an_archive_is_a_source(inside: str, tmp_path: Path) -> None:
    shutil.copytree(MODELS / "edges", tmp_path / "kept" / "models" / "edges")
    shutil.make_archive(str(tmp_path / "kept"), "zip", tmp_path / "kept")
    found = bundler.inspect(f"{tmp_path}/kept.zip{inside}")
    assert found.models[0].source == f"{tmp_path}/kept.zip{inside}"
    assert found.models[0].nodes == 19


def test_a_folder_with_several_models_lists_them_and_those_that_are_broken(tmp_path: Path) -> None:
    shutil.copytree(MODELS, tmp_path / "models")
    (tmp_path / "models" / "edges" / "group1-shard1of1.bin").unlink()
    found = bundler.inspect(tmp_path / "models")
    assert [(model.name, model.source, model.nodes) for model in found.models] == [
        ("digits", f"{tmp_path}/models/digits", 12),
        ("edges", f"{tmp_path}/models/edges", 0),
        ("moments", f"{tmp_path}/models/moments", 20),
    ]
    assert found.models["edges"].notes == (
        f"it cannot be read: {tmp_path}/models/edges/group1-shard1of1.bin: the shard is missing",
    )
    assert found.signatures.names == ("digits", "moments")
    assert bundler.neighbourhood(tmp_path / "models", "digits/image").node.name == "image"


@pytest.mark.network
def test_a_package_lists_its_models() -> None:
    assert len(bundler.inspect("npm:@vladmandic/human@3.3.6").models) > 10


def test_a_model_that_cannot_be_part_of_a_bundle_is_shown_with_the_reason(tmp_path: Path) -> None:
    nodes = [placeholder("x", 3), new_node("WriteFile", "y", ["x", "x"]), new_node("Relu", "z", ["x"], T=DType.float32)]
    write_model(tmp_path / "odd", nodes)
    (model,) = bundler.inspect(tmp_path / "odd").models
    assert model.ops == {"Placeholder": 1, "Relu": 1, "WriteFile": 1}
    assert model.notes == (
        "it cannot be part of a bundle: model.json: node 'y': op 'WriteFile' is not one that TensorFlow.js runs",
    )


# Strangers' files --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["saved/saved_model.pb", "graph.pb", "model.json"])
@pytest.mark.parametrize("content", [b"", b"\0", b"hello, world\n", b"\xff" * 100, b"\x0a\xff\xff\xff\xff\x0f"])
def test_a_file_that_is_no_model_is_an_error_of_its_source(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(SourceError) as error:
        bundler.inspect(path)
    assert str(error.value).startswith(f"{path}: ")


def test_a_bundle_cut_short_anywhere_is_an_error_or_a_smaller_bundle(tmp_path: Path) -> None:
    bundler.build(MANIFESTS / "tiny.toml", output=tmp_path / "tiny", check=False)
    path = tmp_path / "tiny" / "saved_model.pb"
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(SourceError):
            bundler.inspect(path)


def test_a_bundle_with_damaged_bytes_is_an_error_or_another_bundle(tmp_path: Path) -> None:
    """Never a bug of bundler, which would be another exception."""
    bundler.build(MANIFESTS / "tiny.toml", output=tmp_path / "tiny", check=False)
    path, random, refused = tmp_path / "tiny" / "saved_model.pb", Random(7), 0
    whole = path.read_bytes()
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[random.randrange(len(whole))] = random.randrange(256)
        path.write_bytes(damaged)
        try:
            bundler.inspect(path).to_json()
            bundler.neighbourhood(path, "probabilities").to_json()
            bundler.diff(path, path).to_json()
        except BundlerError:
            refused += 1
    assert 50 < refused < 250


def test_names_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    nodes = [placeholder("x\x1b[2J", 3), new_node("Relu", "y\r", ["x\x1b[2J"], T=DType.float32)]
    write_model(tmp_path / "odd", nodes, generatedBy="\x1b]0;title\x07")
    for arguments in (["inspect", str(tmp_path / "odd")], ["inspect", str(tmp_path / "odd"), "--graph", "y\r"]):
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0
        assert not set(done.stdout) & {"\x1b", "\r", "\x07"}
