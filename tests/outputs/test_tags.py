"""`layout = "tags"`: one MetaGraph for each model, each loadable by its tags, none of which disturbs another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from google.protobuf import json_format

import bundler
from bundler import manifest
from bundler.errors import ManifestError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from bundler.ir.protos import SavedModel
from bundler.outputs.savedmodel import FILE
from bundler.runtimes.failures import Refused
from bundler.runtimes.tensorflow import Runtime
from tests.support.models import const, placeholder, write_model

FLOAT = DType.float32
X = np.array([[1, 2, 3]], np.float32)
MANIFEST = """
[bundle]
name = "pets"
layout = "tags"

[[model]]
name = "cat"
source = "cat"
tags = ["serve", "cat"]

[[model]]
name = "dog"
source = "dog"
tags = ["serve", "dog"]
signature = [{ key = "bark", rename = { x = "heard" } }, { key = "serving_default" }]
"""


def write_multiple_of(factor: float, folder: Path) -> None:
    """A model `x -> y` that keeps its factor in a table: two of them share every name."""
    types = {"Tin": DType.string, "Tout": FLOAT}
    table = new_node("HashTableV2", "table", key_dtype=DType.string, value_dtype=FLOAT, shared_name="table")
    nodes = [
        placeholder("x", None, 3),
        table,
        new_node("LookupTableFindV2", "factor", ["table", "word", "missing"], **types),
        new_node("Mul", "y", ["x", "factor"], T=FLOAT),
    ]
    entries = {"key": [b"factor"], "value": np.array([factor], np.float32)}
    fill = new_node("LookupTableImportV2", "fill", ["table", *entries], **types)
    initializer = [*(const(name, value) for name, value in entries.items()), table, fill]
    write_model(
        folder,
        nodes,
        {"word": np.array(b"factor", object), "missing": np.array(-1, np.float32), **entries},
        modelInitializer={"node": [json_format.MessageToDict(made.message) for made in initializer]},
    )


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    write_multiple_of(2, tmp_path / "cat")
    write_multiple_of(3, tmp_path / "dog")
    (tmp_path / "pets.toml").write_text(MANIFEST)
    report = bundler.build(tmp_path / "pets.toml", output=tmp_path / "out")
    assert [(*signature.models, signature.key) for signature in report.signatures] == [
        ("cat", "serving_default"),
        ("dog", "bark"),
        ("dog", "serving_default"),
    ]
    assert report.checks.names == ("load", "load")
    return tmp_path / "out"


def test_a_server_loads_each_by_its_whole_set_of_tags(bundle: Path, runtime: Runtime) -> None:
    for tag, factor in (("cat", 2), ("dog", 3)):
        (answer,) = runtime.run(bundle, ["serve", tag], {"x:0": X}, ["y:0"])
        np.testing.assert_array_equal(answer, factor * X)
    with pytest.raises(Refused):
        runtime.load(bundle, ["serve"], ["y:0"])


def test_python_loads_all_of_them_into_one_process(bundle: Path) -> None:
    import tensorflow as tf

    cat, dog = (tf.saved_model.load(str(bundle), tags=["serve", tag]) for tag in ("cat", "dog"))
    for _ in range(2):
        np.testing.assert_array_equal(cat.signatures["serving_default"](x=tf.constant(X))["y"], 2 * X)
        np.testing.assert_array_equal(dog.signatures["bark"](heard=tf.constant(X))["y"], 3 * X)
    assert set(dog.signatures) >= {"bark", "serving_default"}


def test_nodes_keep_their_names(bundle: Path) -> None:
    saved = SavedModel.FromString((bundle / FILE).read_bytes())
    for metagraph in saved.meta_graphs:
        assert {"x", "y", "table"} <= {node.name for node in metagraph.graph_def.node}


def test_inspect_shows_the_signatures_of_each(bundle: Path) -> None:
    report = bundler.inspect(bundle)
    assert [model.name for model in report.models] == ["cat, serve", "dog, serve"]
    assert [(*signature.models, signature.key) for signature in report.signatures] == [
        ("cat, serve", "serving_default"),
        ("dog, serve", "bark"),
        ("dog, serve", "serving_default"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [
        ('["serve", "dog"]', '["cat", "serve"]', "model 'dog': tags: 'cat, serve' is also the tag set of model 1"),
        ('tags = ["serve", "dog"]\n', "", "model 'dog': tags: is required"),
        ('layout = "tags"', 'layout = "tags"\ntags = ["serve"]', r"bundle.tags: has no meaning"),
    ],
)
def test_tags_that_name_no_single_model_are_errors(before: str, after: str, error: str, tmp_path: Path) -> None:
    (tmp_path / "pets.toml").write_text(MANIFEST.replace(before, after))
    with pytest.raises(ManifestError, match=error):
        manifest.read(tmp_path / "pets.toml")
