from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bundler import savedmodel, verify
from bundler.dtypes import DType
from bundler.errors import VerificationError
from bundler.model import Graph, Model, Signature, TensorSpec
from bundler.nodes import Tensor, node
from bundler.runtime import Runtime
from bundler.savedmodel import MetaGraph
from tests.models import placeholder

FLOAT, INT = DType.float32, DType.int32
GRAPH = Graph(
    (
        placeholder("x", None, 3),
        node("Relu", "y", ["x"], T=FLOAT),
        node("Relu", "any", ["p"], T=FLOAT),
        node("Placeholder", "p", dtype=FLOAT),
    )
)
X = TensorSpec(Tensor("x"), FLOAT, (None, 3))


def bundle(folder: Path, output: TensorSpec) -> MetaGraph:
    """A written MetaGraph of one signature `s`, from `x` to `out`."""
    model = Model(GRAPH, {"s": Signature({"x": X}, {"out": output})}, producer=1395)
    metagraph = MetaGraph(("serve",), model)
    savedmodel.write([metagraph], folder)
    return metagraph


@pytest.mark.parametrize(
    ("tensor", "shape"),
    [("y", (None, 3)), ("y", (5, 3)), ("y", (None, None)), ("y", None), ("any", (1, 2)), ("any", None)],
)
def test_a_bundle_whose_signatures_tell_the_truth_is_good(
    tmp_path: Path, runtime: Runtime, tensor: str, shape: Any
) -> None:
    metagraph = bundle(tmp_path, TensorSpec(Tensor(tensor), FLOAT, shape))
    checks = [verify.load(tmp_path, metagraph, runtime), verify.graph(metagraph.model, runtime)]
    assert [(check.name, check.ok) for check in checks] == [("load", True), ("import", True)]
    assert all(re.fullmatch(r"2 tensors found in \d+\.\d\d s", check.detail) for check in checks)


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (TensorSpec(Tensor("y"), INT, (None, 3)), ["TensorFlow knows another dtype (found float32, expected int32)"]),
        (
            TensorSpec(Tensor("y"), FLOAT, (None, 4)),
            ["TensorFlow knows another shape (found (None, 3), expected (None, 4))"],
        ),
        (TensorSpec(Tensor("y"), FLOAT, (3,)), ["TensorFlow knows another shape (found (None, 3), expected (3,))"]),
        (
            TensorSpec(Tensor("y"), None, ()),
            [
                "TensorFlow knows another dtype (found float32, expected None)",
                "TensorFlow knows another shape (found (None, 3), expected ())",
            ],
        ),
    ],
    ids=["dtype", "size", "rank", "both"],
)
def test_a_tensor_that_tensorflow_knows_otherwise_is_told_by_its_place(
    tmp_path: Path, runtime: Runtime, output: TensorSpec, told: list[str]
) -> None:
    with pytest.raises(VerificationError) as caught:
        verify.load(tmp_path, bundle(tmp_path, output), runtime)
    assert [str(fault) for fault in caught.value.faults] == [f"signature 's', 'out': {what}" for what in told]


@pytest.mark.parametrize(
    ("tensor", "told"),
    [(Tensor("absent"), "there is no node 'absent' in the graph"), (Tensor("y", 1), "node 'y' has no output 1")],
)
def test_a_tensor_that_is_not_there_is_an_error_that_names_it(
    tmp_path: Path, runtime: Runtime, tensor: Tensor, told: str
) -> None:
    with pytest.raises(VerificationError, match=told):
        verify.load(tmp_path, bundle(tmp_path, TensorSpec(tensor, FLOAT, None)), runtime)


def test_other_tags_are_an_error(tmp_path: Path, runtime: Runtime) -> None:
    metagraph = bundle(tmp_path, X)
    with pytest.raises(VerificationError):
        verify.load(tmp_path, metagraph._replace(tags=("train",)), runtime)
