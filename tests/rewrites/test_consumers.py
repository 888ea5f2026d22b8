"""Lowered convolutions serve all who take the ops that they were: gradients, XLA and TFLite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundler import rewrites
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Shape, Tensor, constant, new_node, shape_proto
from bundler.link import link
from bundler.manifest import Compat
from bundler.outputs import savedmodel
from tests.conformance.formulas import depthwise

pytestmark = pytest.mark.slow

X = np.random.default_rng(0).standard_normal((1, 9, 7, 4)).astype(np.float32)
W = np.random.default_rng(1).standard_normal((3, 3, 4, 2)).astype(np.float32)
SIZES: dict[str, Shape] = {"known": (1, 9, 7, 4), "unknown": (1, None, None, 4)}
HOWS = {"dilated": ((1, 1), (2, 2)), "strided": ((2, 1), (1, 1)), "both": ((2, 2), (2, 1))}
KEYS = [f"{how}_{size}" for how in HOWS for size in SIZES]


def model(key: str) -> Model:
    how, size = key.split("_")
    (strides, rates), dims = HOWS[how], SIZES[size]
    attrs = {"strides": [1, *strides, 1], "dilations": [1, *rates, 1], "padding": "SAME"}
    nodes = (
        new_node("Placeholder", "x", dtype=DType.float32, shape=shape_proto(dims)),
        constant("w", W),
        new_node("DepthwiseConv2dNative", "y", ["x", "w"], T=DType.float32, **attrs),
    )
    x, y = TensorSpec(Tensor("x"), DType.float32, dims), TensorSpec(Tensor("y"), DType.float32)
    return Model(Graph(nodes), {key: Signature({"x": x}, {"y": y})}, producer=1395)


def right(key: str) -> np.ndarray:
    return depthwise(X, W, {"padding": "SAME"}, *HOWS[key.split("_")[0]])


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lowered")
    models = {key: rewrites.run(model(key), Compat.NONE) for key in KEYS}
    savedmodel.write([savedmodel.MetaGraph(("serve",), link(models))], folder)
    return folder


@pytest.fixture(scope="module")
def signatures(bundle: Path) -> Any:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(bundle))
    return loaded.signatures


@pytest.mark.parametrize("key", KEYS)
def test_xla_compiles_it(key: str, signatures: Any) -> None:
    import tensorflow as tf

    compiled = tf.function(lambda x: signatures[key](x=x)["y"], jit_compile=True)
    np.testing.assert_allclose(compiled(tf.constant(X)), right(key), atol=1e-5)


@pytest.mark.parametrize("key", KEYS)
def test_its_gradient_is_the_slope(key: str, signatures: Any) -> None:
    """The convolution is linear: the gradient of its sum is the sum's change when one number grows by one."""
    import tensorflow as tf

    x, step = tf.constant(X), np.zeros_like(X)
    step[0, 4, 3, 2] = 1
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(signatures[key](x=x)["y"])
    change = depthwise(step, W, {"padding": "SAME"}, *HOWS[key.split("_")[0]]).sum()
    np.testing.assert_allclose(tape.gradient(total, x)[0, 4, 3, 2], change, atol=1e-5)


@pytest.mark.parametrize("key", KEYS)
def test_tflite_runs_it(key: str, bundle: Path) -> None:
    import tensorflow as tf

    content = tf.lite.TFLiteConverter.from_saved_model(str(bundle), signature_keys=[key]).convert()
    runner = tf.lite.Interpreter(model_content=content).get_signature_runner(key)
    np.testing.assert_allclose(runner(x=X)["y"], right(key), atol=1e-5)
