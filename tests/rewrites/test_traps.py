"""The smallest graphs that TensorFlow's optimizers break, and that give the right numbers after the rewrites.

What is right is told by TensorFlow with oneDNN off, which runs these graphs as they are. With oneDNN, on
x86 with AVX-512, TensorFlow 2.16 to 2.21 dies of the first and gives wrong digits in the fourth place to the second;
2.19 dies of the third.
"""

from __future__ import annotations

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
from tests.support.answers import NO_ONEDNN, ONEDNN, answers

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


@pytest.mark.parametrize("environment", [ONEDNN, NO_ONEDNN], ids=["oneDNN", "no oneDNN"])
def test_rewritten_graphs_give_the_right_numbers(environment: dict[str, str], tmp_path: Path) -> None:
    feeds = {trap.__name__: {"x": X} for trap in TRAPS}
    right = answers(write(TRAPS, tmp_path / "given", rewritten=False), feeds, NO_ONEDNN)
    found = answers(write(TRAPS, tmp_path / "rewritten", rewritten=True), feeds, environment)
    for key, outputs in right.items():
        np.testing.assert_allclose(found[key]["y"], outputs["y"], rtol=1e-5, atol=1e-5, err_msg=key)
