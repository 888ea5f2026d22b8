"""Constants in the bodies of functions, as the converter names them: `<function>/<constant>`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bundler import rewrites
from bundler.convert.select import select
from bundler.ir.dtypes import DType
from bundler.ir.model import Model
from bundler.ir.nodes import Node, new_node
from bundler.ir.protos import FunctionDef, NameAttrList, OpDef
from bundler.link import link
from bundler.link.infer import infer
from bundler.manifest import Compat, SignatureSpec
from bundler.outputs import savedmodel
from bundler.runtimes.tensorflow import Runtime
from tests.support.answers import ONEDNN, answers
from tests.support.asking import ask
from tests.support.models import const, placeholder, read_model, write_model

STEP = np.array([1.5, 2.5], np.float32)
FLOAT = OpDef.ArgDef(name="x", type=DType.float32)
THEN, ELSE = "__inference_then_17", "__inference_else_23"


def function(name: str, result: str, *nodes: Node) -> FunctionDef:
    """A function of one argument, x, and one result."""
    signature = OpDef(name=name, input_arg=[FLOAT], output_arg=[OpDef.ArgDef(name="y", type=DType.float32)])
    return FunctionDef(signature=signature, node_def=[each.message for each in nodes], ret={"y": result})


def branching(folder: Path, *then: Node) -> Model:
    """What `then` makes of x and STEP if `go`, else twice STEP, which is written without a node."""
    functions = [function(THEN, "sum:z:0", *then), function(ELSE, "step:output:0")]
    branches = {"then_branch": NameAttrList(name=THEN), "else_branch": NameAttrList(name=ELSE)}
    types = {"Tcond": DType.bool, "Tin": [DType.float32], "Tout": [DType.float32]}
    nodes = [
        placeholder("go", dtype=DType.bool),
        placeholder("x", 2),
        new_node("If", "y", ["go", "x"], **types, **branches),
    ]
    weights = {f"{THEN}/step": STEP, f"{ELSE}/step": STEP * 2}
    entry = write_model(folder, nodes, weights, functions=functions)
    selection = select(read_model(entry), [SignatureSpec(key="branch")])
    assert selection.faults == ()
    return rewrites.run(selection.model, Compat.NONE)


@pytest.mark.parametrize(("name", "read"), [("step", f"{THEN}/step"), (f"{THEN}/step", "step")])
def test_either_spelling_finds_the_constant_and_tensorflow_takes_its_name(
    name: str, read: str, tmp_path: Path, runtime: Runtime
) -> None:
    sum = new_node("AddV2", "sum", ["x", f"{read}:output:0"], T=DType.float32)
    model = branching(tmp_path / "js", const(name, STEP), sum)
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    savedmodel.write([savedmodel.MetaGraph(("serve",), infer(link({"m": model}), runtime))], bundle)
    x = np.array([1, 2], np.float32)
    then = answers(bundle, {"branch": {"go": np.array(True), "x": x}}, ONEDNN)["branch"]
    np.testing.assert_array_equal(then["y"], x + STEP)
    np.testing.assert_array_equal(ask(runtime, bundle, "branch", go=np.array(False), x=x)["y"], STEP * 2)


def test_a_name_that_is_taken_is_not_given_twice(tmp_path: Path) -> None:
    own, other = const("step", STEP), const(f"{THEN}/step", STEP)
    sum = new_node("AddV2", "sum", ["step:output:0", f"{THEN}/step:output:0"], T=DType.float32)
    names = {made.name for made in branching(tmp_path / "js", own, other, sum).functions[THEN].graph.nodes}
    assert names == {"step", f"n{THEN}/step", "sum"}
