"""New names: of a signature's entries, and of a graph's nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bundler.api as tfjs
from tests.api.conftest import Written
from tests.api.known import MODELS


def signature(inputs: dict[str, str], outputs: dict[str, str]) -> tfjs.SignatureDef:
    made = tfjs.SignatureDef(method_name="mine")
    for side, names in ((made.inputs, inputs), (made.outputs, outputs)):
        for key, tensor in names.items():
            side[key].name = tensor
    return made


def names(side: Any) -> dict[str, str]:
    return {key: side[key].name for key in side}


@pytest.mark.parametrize(
    ("mapping", "inputs", "outputs"),
    [
        ({}, {"x": "x:0"}, {"y": "Identity:0", "z": "Identity_1:0"}),
        ({"x": "input"}, {"input": "x:0"}, {"y": "Identity:0", "z": "Identity_1:0"}),
        ({"y": "z", "z": "y"}, {"x": "x:0"}, {"z": "Identity:0", "y": "Identity_1:0"}),
        ({"y": "a", "nothing": "b"}, {"x": "x:0"}, {"a": "Identity:0", "z": "Identity_1:0"}),
        ({"Identity": "a", "Identity_1:0": "b"}, {"x": "x:0"}, {"a": "Identity:0", "b": "Identity_1:0"}),
    ],
    ids=["nothing", "an input", "a swap", "a name that is not there", "by tensor"],
)
def test_a_map_renames_a_signature_in_place(mapping: Any, inputs: Any, outputs: Any) -> None:
    given = signature({"x": "x:0"}, {"y": "Identity:0", "z": "Identity_1:0"})
    renamed = tfjs.RenameMap(mapping).apply(given)
    assert renamed is given
    assert (names(renamed.inputs), names(renamed.outputs)) == (inputs, outputs)
    assert renamed.method_name == "mine"


def test_a_name_for_two_tensors_is_refused_and_leaves_the_signature_alone() -> None:
    given = signature({"x": "x:0"}, {"y": "Identity:0", "z": "Identity_1:0"})
    with pytest.raises(ValueError, match="two tensors would be called 'z'"):
        tfjs.RenameMap({"x": "input", "y": "z"}).apply(given)
    assert (names(given.inputs), set(given.outputs)) == ({"x": "x:0"}, {"y", "z"})


@pytest.mark.parametrize("mapping", [{"Identity": "image"}, [("Identity", "image")], (("Identity", "image"),)])
def test_a_map_is_made_of_what_makes_a_dict(mapping: Any) -> None:
    assert tfjs.RenameMap(mapping).mapping == {"Identity": "image"}


@pytest.mark.parametrize("mapping", [5, {"a": "b", True: "c"}, {"a": ["b"]}, {"": "b"}, {"a": "\n \t"}, ["abc"]])
def test_a_map_of_anything_but_names_is_a_value_error(mapping: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - `dict` has its own words for some of them
        tfjs.RenameMap(mapping)


def test_a_map_applies_to_signatures_only() -> None:
    with pytest.raises(ValueError, match="no SignatureDef"):
        tfjs.RenameMap({}).apply(5)  # type: ignore[arg-type]


# Nodes --------------------------------------------------------------------------------------------


def test_inputs_are_renamed_in_place_and_the_model_works_on(model_dir: Written) -> None:
    graph_def = tfjs.load_graph_model(model_dir("two_inputs")).as_graph_def()
    assert tfjs.rename_input_nodes(graph_def, {"a": "left", "b": "right"}) is graph_def
    known = MODELS["two_inputs"]
    answers = tfjs.graph_to_function_v2(graph_def)(left=known.feeds["a"], right=known.feeds["b"])
    np.testing.assert_allclose(answers[0].numpy(), known.answers["Identity"], rtol=1e-6)


def test_outputs_are_renamed_where_they_are_identities_and_get_one_where_not(model_dir: Written) -> None:
    known = MODELS["two_inputs"]
    for name in ("simple", "two_inputs"):
        graph_def = tfjs.load_graph_model(model_dir(name)).as_graph_def()
        size = len(graph_def.node)
        assert tfjs.rename_output_nodes(graph_def, {"Identity": "estimate"}) is graph_def
        assert tfjs.get_output_tensors(graph_def) == ["estimate:0"]
        assert len(graph_def.node) - size == (name == "two_inputs")
    answers = tfjs.graph_to_function_v2(graph_def)(*known.feeds.values())
    np.testing.assert_allclose(answers[0].numpy(), known.answers["Identity"], rtol=1e-6)


@pytest.mark.parametrize(
    "mapping", [{"nothing": "y"}, {"scaled": "y"}, {"a": "scaled"}, {"a": "a"}, {"a": "y", "b": "y"}]
)
def test_names_of_other_nodes_and_names_in_use_are_value_errors(mapping: dict[str, str], model_dir: Written) -> None:
    graph_def = tfjs.load_graph_model(model_dir("two_inputs")).as_graph_def()
    before = graph_def.SerializeToString(deterministic=True)
    with pytest.raises(ValueError, match="is no name of theirs|is in use already"):
        tfjs.rename_input_nodes(graph_def, mapping)
    with pytest.raises(ValueError, match="is no name of theirs"):
        tfjs.rename_output_nodes(graph_def, mapping)
    assert graph_def.SerializeToString(deterministic=True) == before
