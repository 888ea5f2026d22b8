"""Which input keys `tf.saved_model.load` takes: our rule, and TensorFlow itself on the same table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Tensor, new_node
from bundler.outputs import savedmodel
from bundler.outputs.savedmodel import MetaGraph
from bundler.serving.arguments import argument, unusable, usable
from tests.support.models import placeholder

LOADED = [
    ["image"],
    ["a b"],
    ["input:0"],
    ["1"],
    ["arg_0"],
    ["_"],
    ["args"],
    ["kwargs"],
    ["cls"],
    ["match"],
    ["print"],
    ["A", "a"],
    ["é"],
    ["日本"],
    ["😀"],
    ["ﬁ", "fi"],
    ["a\nb"],
]
REFUSED = {
    "in": ["in"],
    "class": ["class"],
    "None": ["None"],
    "async": ["async"],
    "self": ["self"],
    "empty": [""],
    "empty beside another": ["", "x"],
    "superscript": ["x²"],
    "fraction": ["½"],
    "spaces and colons": ["a b", "a:b"],
    "slashes": ["img/1", "img_1"],
    "digits": ["1", "arg_1"],
    "ports": ["input:0", "input_0"],
    "underscores": ["_in", "arg__in"],
    "emoji": ["😀", "_"],
    "keyword beside its proposal": ["in", "in_"],
    "three alike": ["a b", "a:b", "a_b_2"],
}


@pytest.mark.parametrize("keys", LOADED)
def test_a_key_that_can_be_passed_stays(keys: list[str]) -> None:
    assert list(unusable(keys)) == []
    assert usable(keys) == {}


@pytest.mark.parametrize("keys", REFUSED.values(), ids=REFUSED)
def test_a_key_that_cannot_be_passed_has_a_proposal_that_can(keys: list[str]) -> None:
    changed = usable(keys)
    assert changed
    assert list(unusable(changed[key].proposed if key in changed else key for key in keys)) == []


@pytest.mark.parametrize(
    ("keys", "proposed"),
    [
        (["in"], {"in": "in_"}),
        (["self"], {"self": "self_"}),
        ([""], {"": "input"}),
        (["x²"], {"x²": "x_"}),
        (["a b", "a:b"], {"a:b": "a_b_2"}),
        (["img/1", "img_1"], {"img/1": "img_1_2"}),
        (["arg_1", "1"], {"1": "arg_1_2"}),
    ],
)
def test_of_two_keys_for_one_argument_the_argument_itself_stays(keys: list[str], proposed: dict[str, str]) -> None:
    assert {key: found.proposed for key, found in usable(keys).items()} == proposed


def test_a_models_own_key_makes_room_for_a_chosen_one() -> None:
    assert {key: found.proposed for key, found in usable(["a_b"], ["a b"]).items()} == {"a_b": "a_b_2"}


LOAD = """
import json, sys
import tensorflow as tf
from tensorflow.core.function.polymorphism.function_type import sanitize_arg_name

def attempt(folder, keys):
    try:
        function = tf.saved_model.load(folder).signatures["k"]
        return list(function(**{key: tf.ones([2]) for key in keys})) == ["y"]
    except (IndexError, TypeError, ValueError):
        return False

asked = json.load(sys.stdin)
names = {key: sanitize_arg_name(key) for _, keys in asked for key in keys if key}
json.dump([names, [attempt(*pair) for pair in asked]], sys.stdout)
"""


@pytest.mark.slow
def test_tensorflow_takes_and_refuses_the_same(tmp_path: Path) -> None:
    table = [*LOADED, *REFUSED.values()]
    table += [[usable(keys)[key].proposed if key in usable(keys) else key for key in keys] for keys in REFUSED.values()]
    asked = [(str(written(tmp_path / str(index), keys)), keys) for index, keys in enumerate(table)]
    done = subprocess.run(
        [sys.executable, "-c", LOAD],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
    )
    names, loaded = json.loads(done.stdout)
    assert {key: argument(key) for key in names} == names
    assert loaded == [not list(unusable(keys)) for keys in table]
    assert loaded == [True] * len(LOADED) + [False] * len(REFUSED) + [True] * len(REFUSED)


def written(folder: Path, keys: list[str]) -> Path:
    """A bundle whose one signature has these inputs, and the output "y"."""
    specs = {key: TensorSpec(Tensor(f"x{index}"), DType.float32, (None,)) for index, key in enumerate(keys)}
    inputs = [placeholder(spec.tensor.node, None) for spec in specs.values()]
    total = new_node("AddN", "total", [given.name for given in inputs], T=DType.float32, N=len(inputs))
    signature = Signature(specs, {"y": TensorSpec(Tensor("total"), DType.float32, (None,))})
    model = Model(Graph((*inputs, total)), {"k": signature}, producer=1395)
    folder.mkdir()
    savedmodel.write([MetaGraph(("serve",), model, ())], folder)
    return folder
