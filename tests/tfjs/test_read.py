from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundler import tfjs
from bundler.artifacts import artifact
from bundler.convert.select import select
from bundler.errors import BundlerError, ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.model import Model
from bundler.ir.nodes import attr, new_node, shape_of, shape_proto
from bundler.manifest import SignatureSpec
from tests.support.models import placeholder, read_model, text, write_model

FLOAT = DType.float32
SIGNATURE = {
    "inputs": {"in": {"name": "x:0", "dtype": "DT_FLOAT", "tensorShape": {"dim": [{"size": "-1"}, {"size": "2"}]}}},
    "outputs": {"out": {"name": "y:0"}, "which": {"name": "cond"}},
}
BRANCH = {
    "signature": {
        "name": "branch",
        "inputArg": [{"name": "a", "type": "DT_FLOAT"}],
        "outputArg": [{"name": "r", "type": "DT_FLOAT"}],
    },
    "nodeDef": [{"name": "m", "op": "Mul", "input": ["a", "c:output:0"], "attr": {"T": {"type": "DT_FLOAT"}}}],
    "ret": {"r": "m:z:0"},
}
NODES = [
    placeholder("x"),
    {
        "name": "y",
        "op": "_FusedMatMul",
        "input": ["x", "w", "b", "^k"],
        "device": "/device:CPU:0",
        "attr": {
            "T": {"type": 1},
            "num_args": {"i": "1"},
            "fused_ops": {"list": {"s": [text("BiasAdd"), text("Relu")]}},
            "transpose_a": {"b": False},
            "_output_shapes": {"list": {}},
        },
    },
    {"name": "parts", "op": "Split", "input": ["axis", "y"], "attr": {"num_split": {"i": 2}}},
    {
        "name": "cond",
        "op": "StatelessIf",
        "input": ["flag", "parts:1"],
        "attr": {
            "Tin": {"list": {"type": ["DT_FLOAT"]}},
            "Tout": {"list": {"type": ["DT_FLOAT"]}},
            "then_branch": {"func": {"name": "branch"}},
            "else_branch": {"func": {"name": "branch", "attr": {"n": {"i": 1}}}},
        },
    },
]
WEIGHTS = {
    "w": np.array([[0, 1], [2, 3]], np.float32),
    "b": np.ones(2, np.float32),
    "k": np.array([1, 2], np.int64),
    "axis": np.array(1, np.int32),
    "flag": np.array(True),
    "branch/c": np.array(2, np.float32),
    "words": [b"a", b"bc"],
}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A model with something of everything."""
    return write_model(
        tmp_path,
        NODES,
        WEIGHTS,
        functions=[BRANCH],
        quantization={"w": {"dtype": "uint8", "scale": 1, "min": 0}},
        shard_bytes=20,
        signature=SIGNATURE,
        userDefinedMetadata={"structuredOutputKeys": ["a", "b"]},
    )


def test_a_model_is_its_graph_functions_and_weights_under_one_signature(written: Path) -> None:
    model = read_model(written)
    assert set(model.graph.by_name) == {"x", "y", "parts", "cond", "w", "b", "k", "axis", "flag", "words"}
    assert model.graph.weights["w"].array().tolist() == [[0, 1], [2, 3]]
    assert model.graph.weights["k"].array().dtype == np.int64
    assert set(model.functions) == {"branch"}
    assert [weight.array().tolist() for weight in model.functions["branch"].graph.weights.values()] == [2]
    (signature,) = model.signatures.values()
    assert (list(signature.inputs), list(signature.outputs)) == (["in"], ["out", "which"])
    assert model.producer == 1395


@pytest.mark.parametrize("gzipped", [False, True])
def test_a_compressed_model_is_the_same_model(tmp_path: Path, gzipped: bool) -> None:
    model = read_model(write_model(tmp_path, NODES, WEIGHTS, functions=[BRANCH], gzipped=gzipped))
    assert {name: weight.array().tolist() for name, weight in model.graph.weights.items()} == {
        name: list(value) if isinstance(value, list) else value.tolist()
        for name, value in WEIGHTS.items()
        if name != "branch/c"
    }


def test_reading_opens_no_shard_of_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_model(tmp_path, [placeholder("x")], {"w": np.zeros(1000, np.float32)})
    monkeypatch.setattr(tfjs.weights.Group, "read", lambda *asked: pytest.fail("a weight was read"))
    assert read_model(path).graph.weights["w"].shape == (1000,)


@pytest.mark.parametrize(
    ("own", "declared", "shape"),
    [
        ((), {"dim": [{"size": "-1"}, {"size": "2"}]}, (None, 2)),
        ((), {}, ()),
        ((), {"unknownRank": True}, None),
        ((), None, None),
        ((None, 2), {"dim": [{"size": "1"}, {"size": "2"}]}, (None, 2)),
        (None, {"dim": [{"size": "2"}]}, (2,)),
        (None, {}, ()),
    ],
)
def test_a_placeholder_without_dimensions_has_the_shape_of_the_signature(
    tmp_path: Path, own: Any, declared: Any, shape: Any
) -> None:
    entry = {"name": "x:0", "tensorShape": declared}
    given = new_node("Placeholder", "x", dtype=FLOAT, shape=shape_proto(own))
    path = write_model(tmp_path, [given], signature={"inputs": {"x": entry}})
    (found,) = read_model(path).graph.nodes
    assert shape_of(attr(found, "shape")) == shape
    assert attr(found, "dtype") == FLOAT


@pytest.mark.parametrize(
    ("versions", "producer"), [({"producer": 27}, 27), ({"producer": "27"}, 27), ({}, 0), (None, 0)]
)
def test_the_version_of_the_graph_is_read(tmp_path: Path, versions: Any, producer: int) -> None:
    topology = {"node": [{"name": "x", "op": "Placeholder"}], "versions": versions}
    assert read_model(write_model(tmp_path, [], modelTopology=topology)).producer == producer


@pytest.mark.parametrize(
    ("document", "is_graph"),
    [
        ({"modelTopology": {"node": []}}, True),
        ({"modelTopology": {"node": []}, "format": None}, True),
        ({"modelTopology": {"model_config": {}}}, False),
        ({"modelTopology": {"class_name": "Sequential"}}, False),
        ({"modelTopology": {"keras_version": "2"}}, False),
        ({"modelTopology": None}, False),
        ({"modelTopology": "a node"}, False),
        ({"modelTopology": ["node"]}, False),
    ],
)
def test_a_topology_with_nodes_is_a_graph_model_whatever_the_format_says(
    tmp_path: Path, document: Any, is_graph: bool
) -> None:
    assert tfjs.is_graph_model(artifact.open(write_model(tmp_path, [], **document))) is is_graph


@pytest.mark.parametrize("topology", [None, "a node", ["node"], {}, {"nodes": []}])
def test_what_is_neither_graph_nor_layers_is_an_error(tmp_path: Path, topology: Any) -> None:
    with pytest.raises(ConversionError, match="^model.json: this is no model of TensorFlow.js"):
        read_model(write_model(tmp_path, [], modelTopology=topology))


def test_a_fault_names_places_from_the_file_inwards(tmp_path: Path) -> None:
    path = write_model(tmp_path, [{"name": "y", "op": "Relu", "attr": {"T": {"type": "DT_NONSENSE"}}}])
    with pytest.raises(ConversionError) as caught:
        read_model(path)
    assert str(caught.value) == "model.json: node 'y': attribute 'T': 'DT_NONSENSE' is not a dtype"


def test_nodes_may_be_read_in_any_order(written: Path, tmp_path: Path) -> None:
    shuffled = write_model(tmp_path / "shuffled", NODES[::-1], WEIGHTS, functions=[BRANCH], signature=SIGNATURE)
    assert read_model(shuffled).graph.by_name == read_model(written).graph.by_name


# Malformed files

JUNK: list[Any] = [None, 0, -1, 1, 2.5, 1e400, "", "x", "DT_FLOAT", "y:7", [], [1], ["x"], {}, {"a": 1}, True, "\ud800"]
JUNK += [10**30, {"list": {"s": 3}}, {"i": "99999999999"}, {"name": "x"}]
SPOILT = 500


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a document, from the outside in."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def value_at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def spoilt(document: Any, seed: int) -> Any:
    """The document with a value gone, or junk or another of its values in its place; now and then twice."""
    chance, made = random.Random(seed), copy.deepcopy(document)
    for _ in range(chance.choice([1, 1, 2])):
        known = list(places(made))[1:]
        *outer, key = chance.choice(known)
        holder = value_at(made, tuple(outer))
        other = chance.choice([chance.choice(JUNK), value_at(made, chance.choice(known))])
        if chance.random() < 0.3:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(other)
    return made


def outcome(path: Path) -> Model | BundlerError:
    try:
        return select(read_model(path), [SignatureSpec(key="all")]).model
    except BundlerError as error:
        return error


@pytest.mark.long
def test_whatever_is_wrong_with_a_file_is_explained(written: Path) -> None:
    document = json.loads(written.read_text())
    outcomes = []
    for seed in range(SPOILT):
        written.write_text(json.dumps(spoilt(document, seed)))
        outcomes.append(outcome(written))
    errors = [found for found in outcomes if isinstance(found, BundlerError)]
    assert SPOILT / 10 < len(errors) < SPOILT * 9 / 10
    assert all(fault.where and fault.what for error in errors for fault in error.faults)
