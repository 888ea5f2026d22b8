"""The smallest graphs that TensorFlow's optimizers break, and that give the right numbers after the rewrites.

TensorFlow without oneDNN runs these graphs as they are, and gives the expected numbers. With oneDNN, on x86 with
AVX-512, TensorFlow 2.16 to 2.21 dies of the first and gives wrong digits in the fourth place to the second; 2.19 dies
of the third.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bundler import rewrites
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Node, Tensor, constant, new_node, shape_proto
from bundler.link import link
from bundler.manifest import Compat
from bundler.outputs import savedmodel
from tests.support.answers import NO_ONEDNN, ONEDNN, Tensors, answers

FLOAT = DType.float32
X = np.random.default_rng(0).standard_normal((1, 8, 8, 8)).astype(np.float32)


def convolution(*, channels: int) -> list[Node]:
    """Input, convolution and bias: in each trap something is fused with them."""
    random = np.random.default_rng(1)
    return [
        new_node("Placeholder", "x", dtype=FLOAT, shape=shape_proto(X.shape)),
        constant("w", random.standard_normal((1, 1, 8, channels)).astype(np.float32)),
        constant("b", random.standard_normal(channels).astype(np.float32)),
        new_node("Conv2D", "conv", ["x", "w"], T=FLOAT, strides=[1, 1, 1, 1], padding="VALID"),
        new_node("BiasAdd", "bias", ["conv", "b"], T=FLOAT),
    ]


def pad_added_to_a_convolution() -> list[Node]:
    return [
        *convolution(channels=16),
        constant("paddings", np.array([[0, 0], [0, 0], [0, 0], [0, 8]], np.int32)),
        new_node("Pad", "pad", ["x", "paddings"], T=FLOAT, Tpaddings=DType.int32),
        new_node("AddV2", "add", ["bias", "pad"], T=FLOAT),
        new_node("Relu", "y", ["add"], T=FLOAT),
    ]


def hard_swish_with_a_sixth_of_float16() -> list[Node]:
    return [
        *convolution(channels=8),
        constant("three", np.array(3, np.float32)),
        constant("sixth", np.array(0.16662598, np.float32)),
        new_node("AddV2", "plus", ["bias", "three"], T=FLOAT),
        new_node("Relu6", "relu6", ["plus"], T=FLOAT),
        new_node("Mul", "product", ["bias", "relu6"], T=FLOAT),
        new_node("Mul", "y", ["product", "sixth"], T=FLOAT),
    ]


def depthwise_with_explicit_paddings() -> list[Node]:
    paddings = {"padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 1, 1, 1, 0, 0]}
    random = np.random.default_rng(2)
    return [
        new_node("Placeholder", "x", dtype=FLOAT, shape=shape_proto(X.shape)),
        constant("w", random.standard_normal((3, 3, 8, 1)).astype(np.float32)),
        constant("b", random.standard_normal(8).astype(np.float32)),
        new_node("DepthwiseConv2dNative", "conv", ["x", "w"], T=FLOAT, strides=[1, 2, 2, 1], **paddings),
        new_node("BiasAdd", "bias", ["conv", "b"], T=FLOAT),
        new_node("Relu6", "y", ["bias"], T=FLOAT),
    ]


TRAPS = [pad_added_to_a_convolution, hard_swish_with_a_sixth_of_float16, depthwise_with_explicit_paddings]
FEEDS = {trap.__name__: {"x": X} for trap in TRAPS}


def write(traps: list[Callable[[], list[Node]]], folder: Path, *, rewritten: bool) -> Path:
    """A bundle with a signature for each trap, as it is or rewritten."""
    models = {trap.__name__: signed(trap) for trap in traps}
    if rewritten:
        models = {name: rewrites.run(model, Compat.NONE) for name, model in models.items()}
    folder.mkdir()
    savedmodel.write([savedmodel.MetaGraph(("serve",), link(models))], folder)
    return folder


def signed(trap: Callable[[], list[Node]]) -> Model:
    x, y = TensorSpec(Tensor("x"), FLOAT, X.shape), TensorSpec(Tensor("y"), FLOAT)
    return Model(Graph(tuple(trap())), {trap.__name__: Signature({"x": x}, {"y": y})})


def wrong(found: dict[str, Tensors], right: dict[str, Tensors]) -> list[str]:
    """The traps whose numbers differ."""
    return [key for key in right if not np.allclose(found[key]["y"], right[key]["y"], rtol=1e-5, atol=1e-5)]


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensors]:
    """The numbers of the graphs as they are, without oneDNN."""
    folder = tmp_path_factory.mktemp("traps")
    return answers(write(TRAPS, folder / "given", rewritten=False), FEEDS, NO_ONEDNN)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.__name__)
def test_without_the_rewrites_a_graph_is_broken(
    trap: Callable[[], list[Node]], right: dict[str, Tensors], tmp_path: Path
) -> None:
    """If not, this machine cannot show that the rewrites help, and the test says so."""
    key, bundle = trap.__name__, write([trap], tmp_path / "given", rewritten=False)
    try:
        found = answers(bundle, {key: FEEDS[key]}, ONEDNN)
    except AssertionError as death:
        if not re.search(r"died \(SIG(ABRT|SEGV)\)", str(death)):
            raise
        return
    if not wrong(found, {key: right[key]}):
        pytest.skip("this processor, or this TensorFlow, runs the graph right as it is")


@pytest.mark.parametrize("environment", [ONEDNN, NO_ONEDNN], ids=["oneDNN", "no oneDNN"])
def test_rewritten_graphs_give_the_right_numbers(
    environment: dict[str, str], right: dict[str, Tensors], tmp_path: Path
) -> None:
    assert wrong(answers(write(TRAPS, tmp_path / "rewritten", rewritten=True), FEEDS, environment), right) == []
