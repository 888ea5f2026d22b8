"""`bundler.run`: signatures of SavedModels, called with values of every dtype."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ml_dtypes import bfloat16

import bundler
from bundler.bundle import Bundle
from bundler.errors import BundlerError
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Node, Tensor, new_node
from bundler.outputs import savedmodel
from bundler.outputs.savedmodel import MetaGraph
from bundler.runtimes.tensorflow import Runtime
from bundler.runtimes.tensors import packed
from bundler.verbs.run import called


def write(folder: Path, nodes: list[Node], signature: Signature) -> Path:
    savedmodel.write([MetaGraph(("serve",), Model(Graph(tuple(nodes)), {"serving_default": signature}))], folder)
    return folder


def stacked(dtype: DType, folder: Path) -> Path:
    """A SavedModel of `y = concat([x, x])`."""
    nodes = [
        new_node("Placeholder", "x", dtype=dtype),
        new_node("Const", "axis", dtype=DType.int32, value=np.array(0, np.int32)),
        new_node("ConcatV2", "y", ["x", "x", "axis"], N=2, T=dtype, Tidx=DType.int32),
    ]
    signature = Signature(
        {"x": TensorSpec(Tensor("x"), dtype, (None,))}, {"y": TensorSpec(Tensor("y"), dtype, (None,))}
    )
    return write(folder, nodes, signature)


STRINGS = np.array([b"a", "ä".encode(), b"\xff\0", b""], object)
VALUES = [
    np.array([True, False]),
    *(np.array([1, 2, 3], dtype) for dtype in ("int8", "int16", "int32", "uint8", "uint16", "uint32")),
    np.array([-(1 << 63), (1 << 63) - 1]),
    np.array([(1 << 64) - 1], np.uint64),
    *(np.array([1.5, np.nan, -np.inf], dtype) for dtype in ("float16", "float32", "float64")),
    np.array([1.5, np.nan, -np.inf], bfloat16),
    *(np.array([1 + 2j, -1j], dtype) for dtype in ("complex64", "complex128")),
    STRINGS,
    np.zeros(0, np.float32),
    np.zeros(0, object),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: f"{value.dtype}{list(value.shape)}")
def test_values_of_every_dtype_pass_through(value: np.ndarray, runtime: Runtime, tmp_path: Path) -> None:
    dtype = DType.string if value.dtype == object else DType.parse(value.dtype.name)
    endpoint = Bundle.open(stacked(dtype, tmp_path)).endpoint()
    found = called(endpoint, {"x": value}, runtime)["y"]
    assert (found.dtype, found.shape) == (value.dtype, (2 * len(value),))
    assert packed(found)[2] == packed(np.concatenate([value, value]))[2]


def test_a_sole_input_and_a_sole_signature_need_no_name(tmp_path: Path) -> None:
    assert bundler.run(stacked(DType.int32, tmp_path), inputs=[1, 2])["y"].tolist() == [1, 2, 1, 2]
    np.save(tmp_path / "x.npy", [3])
    assert bundler.run(str(tmp_path), inputs=tmp_path / "x.npy")["y"].tolist() == [3, 3]


def test_a_signature_without_inputs_is_called_too(tmp_path: Path) -> None:
    nodes = [new_node("Const", "y", dtype=DType.int32, value=np.array(7, np.int32))]
    write(tmp_path, nodes, Signature({}, {"y": TensorSpec(Tensor("y"), DType.int32, ())}))
    assert bundler.run(tmp_path)["y"] == 7


def test_a_resource_is_no_value(tmp_path: Path) -> None:
    nodes = [new_node("VarHandleOp", "v", dtype=DType.float32, shape=[])]
    write(tmp_path, nodes, Signature({}, {"v": TensorSpec(Tensor("v"), DType.resource, ())}))
    with pytest.raises(
        BundlerError, match=r"output 'v' has a dtype whose values cannot be shown \(found resource\[\]\)"
    ):
        bundler.run(tmp_path)


def test_what_tensorflow_refuses_is_an_error_in_its_words(tmp_path: Path) -> None:
    nodes = [
        *(new_node("Placeholder", name, dtype=DType.float32) for name in ("a", "b")),
        new_node("MatMul", "y", ["a", "b"], T=DType.float32, transpose_a=False, transpose_b=False),
    ]
    spec = {name: TensorSpec(Tensor(name), DType.float32, (None, None)) for name in ("a", "b", "y")}
    write(tmp_path, nodes, Signature({"a": spec["a"], "b": spec["b"]}, {"y": spec["y"]}))
    with pytest.raises(BundlerError, match=r"TensorFlow: Matrix size-incompatible: In\[0\]: \[2,3\], In\[1\]: \[2,3\]"):
        bundler.run(tmp_path, inputs={"a": np.ones((2, 3)), "b": np.ones((2, 3))})


WRITE_WITH_TENSORFLOW = """
import sys, tensorflow as tf

class Scale(tf.Module):
    def __init__(self):
        self.factor = tf.Variable(3.0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x"), tf.TensorSpec([], tf.string, "unit")])
    def scale(self, x, unit):
        return {"y": x * self.factor, "unit": tf.strings.join([unit, "s"])}

module = Scale()
tf.saved_model.save(module, sys.argv[1], signatures={"scale": module.scale})
"""


@pytest.mark.slow
def test_a_saved_model_that_tensorflow_wrote_is_called_with_its_variables(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", WRITE_WITH_TENSORFLOW, str(tmp_path)], check=True, capture_output=True)
    outputs = bundler.run(tmp_path, inputs={"x": [1, 2], "unit": "metre"})
    assert {name: value.tolist() for name, value in outputs.items()} == {"unit": b"metres", "y": [3.0, 6.0]}
