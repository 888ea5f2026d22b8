"""Hash tables reach the bundle filled, whichever way the file joins them to their initializer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import json_format

from bundler import rewrites
from bundler.convert.select import select
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.model import Model
from bundler.ir.nodes import Node, attr, new_node
from bundler.ir.protos import SavedModel
from bundler.link import link
from bundler.link.infer import infer
from bundler.manifest import Compat, SignatureSpec
from bundler.outputs import savedmodel
from bundler.runtimes.tensorflow import Runtime
from tests.support.answers import ONEDNN, answers
from tests.support.asking import ask
from tests.support.models import const, placeholder, read_model, write_model
from tests.support.saved_model_cli import saved_model_cli

WORDS = np.array(["cat", "dog"], object)
TYPES = {"key_dtype": DType.string, "value_dtype": DType.int64}
LOOKED_UP = {"Tin": DType.string, "Tout": DType.int64}
FIND = [
    placeholder("word", None, dtype=DType.string),
    new_node("LookupTableFindV2", "found", ["table", "word", "default"], **LOOKED_UP),
    new_node("Identity", "Identity", ["found"], T=DType.int64),
    new_node("StringToHashBucketFast", "bucket", ["word"], num_buckets=10),
]
FILL = new_node("LookupTableImportV2", "fill", ["table", "keys", "values"], **LOOKED_UP)
ASKED = np.array(["dog", "fish"], object)


def graph(nodes: Sequence[Node]) -> Mapping[str, Any]:
    return {"node": [json_format.MessageToDict(made.message) for made in nodes]}


def weights(first: int) -> dict[str, Any]:
    """Two words, numbered from `first`."""
    return {
        "keys": [b"cat", b"dog"],
        "values": np.array([first, first + 1], np.int64),
        "default": np.array(-1, np.int64),
    }


def consts(first: int) -> list[Node]:
    return [const(name, value) for name, value in weights(first).items() if name != "default"]


def old_form(folder: Path, first: int = 1, *more: Node) -> Path:
    """Both graphs have the table; `more` is in the main graph alone."""
    table = new_node("HashTableV2", "table", shared_name="table_4711", **TYPES)
    initializer = graph([*consts(first), table, FILL])
    outputs = {"outputs": {"number": {"name": "Identity:0"}, "bucket": {"name": "bucket:0"}}}
    nodes = [table, *FIND, *more]
    return write_model(folder, nodes, weights(first), modelInitializer=initializer, signature=outputs)


def new_form(folder: Path, first: int = 1) -> Path:
    """The table comes in by a Placeholder, and goes out of the initializer, where other nodes have the same names."""
    initializer = [
        *consts(first),
        new_node("NoOp", "found"),
        new_node("HashTableV2", "made", ["^found"], shared_name="9_load_1_64", **TYPES),
        new_node("LookupTableImportV2", "fill", ["made", "keys", "values"], **LOOKED_UP),
        new_node("Identity", "Identity", ["made", "^fill"], T=DType.resource),
    ]
    return write_model(
        folder,
        [new_node("Placeholder", "table", dtype=DType.resource), *FIND],
        weights(first),
        modelInitializer=graph(initializer),
        initializerSignature={"outputs": {"Identity:0": {"name": "Identity:0", "resourceId": 96}}},
        signature={
            "inputs": {
                "table:0": {"name": "table:0", "dtype": "DT_RESOURCE", "resourceId": 96},
                "word": {"name": "word:0"},
            },
            "outputs": {"number": {"name": "Identity:0"}, "bucket": {"name": "bucket:0"}},
        },
    )


FORMS = pytest.mark.parametrize("form", [old_form, new_form])


def imported(entry: Path, key: str, outputs: Sequence[str] | None = None) -> Model:
    selection = select(read_model(entry), [SignatureSpec(key=key, outputs=outputs)])
    assert selection.faults == ()
    return rewrites.run(selection.model, Compat.NONE)


def written(folder: Path, runtime: Runtime, **models: Model) -> Path:
    bundle = folder / "bundle"
    bundle.mkdir()
    savedmodel.write([savedmodel.MetaGraph(("serve",), infer(link(models), runtime))], bundle)
    return bundle


def tables(model: Model) -> dict[str, str]:
    """The names by which TensorFlow knows the tables, by node."""
    return {made.name: attr(made, "shared_name") for made in model.graph.nodes if made.op == "HashTableV2"}


@FORMS
def test_a_table_is_one_node_of_the_graph_under_its_own_name(form: Any, tmp_path: Path) -> None:
    model = imported(form(tmp_path / "js"), "find")
    assert tables(model) == {"table": "table"}
    assert tables(link({"animals": model})) == {"animals/table": "animals/table"}


@FORMS
def test_a_caller_sees_no_table(form: Any, tmp_path: Path) -> None:
    assert list(imported(form(tmp_path / "js"), "find").signatures["find"].inputs) == ["word"]


@FORMS
def test_an_output_that_needs_no_table_brings_none(form: Any, tmp_path: Path, runtime: Runtime) -> None:
    model = imported(form(tmp_path / "js"), "hash", ["bucket"])
    assert model.initializers == ()
    assert {made.op for made in model.graph.nodes} == {"Placeholder", "StringToHashBucketFast"}
    saved = SavedModel.FromString((written(tmp_path, runtime, animals=model) / savedmodel.FILE).read_bytes())
    assert list(saved.meta_graphs[0].signature_def) == ["hash"]


@pytest.fixture
def bundle(tmp_path: Path, runtime: Runtime) -> Path:
    """Models with tables of one name and other contents, in both forms."""
    old, new = old_form(tmp_path / "old", first=1), new_form(tmp_path / "new", first=100)
    return written(tmp_path, runtime, old=imported(old, "old"), new=imported(new, "new"))


RIGHT = {"old": [2, -1], "new": [101, -1]}


@pytest.mark.parametrize("engine", ["native", "python"])
def test_a_session_fills_the_tables_of_all_models(engine: Any, bundle: Path) -> None:
    with Runtime(engine=engine) as runtime:
        found = {key: ask(runtime, bundle, key, word=ASKED)["number"].tolist() for key in RIGHT}
    assert found == RIGHT


def test_a_python_program_fills_the_tables_of_all_models(bundle: Path) -> None:
    found = answers(bundle, {key: {"word": ASKED} for key in RIGHT}, ONEDNN)
    assert {key: outputs["number"].tolist() for key, outputs in found.items()} == RIGHT


def test_saved_model_cli_fills_the_tables(bundle: Path) -> None:
    asked = ["--signature_def", "new", "--input_exprs", "word=[b'dog', b'fish']"]
    printed = saved_model_cli("run", "--dir", str(bundle), "--tag_set", "serve", *asked)
    assert "[101  -1]" in printed


def test_the_node_to_run_first_is_no_signature(bundle: Path) -> None:
    (metagraph,) = SavedModel.FromString((bundle / savedmodel.FILE).read_bytes()).meta_graphs
    assert list(savedmodel.read_signatures(metagraph)) == ["new", "old"]


def test_a_scope_that_the_model_uses_is_left_to_it(tmp_path: Path) -> None:
    entry = old_form(tmp_path / "js", 1, new_node("NoOp", "initializer/fill"))
    assert imported(entry, "find").initializers == ("initializer_/fill",)


def test_a_table_that_nothing_makes_is_an_error_that_names_its_node(tmp_path: Path) -> None:
    entry = write_model(tmp_path / "js", [new_node("Placeholder", "table", dtype=DType.resource), *FIND], weights(1))
    with pytest.raises(ConversionError, match="node 'table': no node makes this resource"):
        imported(entry, "find", ["found"])


def test_a_decision_forest_is_refused_by_the_name_of_its_op(tmp_path: Path) -> None:
    entry = new_form(tmp_path / "js")
    entry.write_text(entry.read_text().replace('"HashTableV2"', '"SimpleMLCreateModelResource"'))
    with pytest.raises(ConversionError, match="op 'SimpleMLCreateModelResource' needs TensorFlow Decision Forests"):
        imported(entry, "find")


def test_an_identity_of_nothing_makes_no_table_but_an_error(tmp_path: Path) -> None:
    entry = new_form(tmp_path / "js")
    entry.write_text(entry.read_text().replace('"input": ["made", "^fill"]', '"input": []'))
    with pytest.raises(ConversionError, match="node 'table': Identity with a wrong number of inputs"):
        imported(entry, "find")


def test_each_graph_calls_its_own_function_of_one_name(tmp_path: Path) -> None:
    def library(*nodes: Mapping[str, object], result: str) -> Mapping[str, object]:
        argument, given = {"name": "a", "type": "DT_FLOAT"}, {"name": "r", "type": "DT_FLOAT"}
        signature = {"name": "same", "inputArg": [argument], "outputArg": [given]}
        return {"signature": signature, "nodeDef": list(nodes), "ret": {"r": result}}

    relu = {"name": "i", "op": "Relu", "input": ["a"], "attr": {"T": {"type": "DT_FLOAT"}}}
    types = {"list": {"type": ["DT_FLOAT"]}}
    call = {"Tin": types, "Tout": types, "f": {"func": {"name": "same"}}}
    inner = {"name": "z", "op": "PartitionedCall", "input": ["x"], "attr": call}
    placeholder = {"name": "x", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"}}}
    initializer = {"node": [placeholder, inner], "library": {"function": [library(relu, result="i:activations:0")]}}
    entry = write_model(
        tmp_path, [placeholder, {**inner, "name": "y"}], functions=[library(result="a")], modelInitializer=initializer
    )
    model = read_model(entry)
    assert {name: len(function.graph.nodes) for name, function in model.functions.items()} == {
        "same": 0,
        "initializer/same": 1,
    }
    called = {node.name: attr(node, "f").name for node in model.graph.nodes if node.op == "PartitionedCall"}
    assert called == {"y": "same", "initializer/z": "initializer/same"}
