"""Models whose numbers are known without any converter: NumPy computes them.

They are those that the predecessor's users had: a dense layer, Prelu, fused depthwise convolutions, two heads, two
inputs, a hash table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import json_format

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, new_node
from tests.support.models import const, placeholder, write_model

__all__ = ["MODELS", "Known", "write"]

FLOAT = DType.float32
RANDOM = np.random.default_rng(0)


@dataclass(frozen=True)
class Known:
    """A model: what it is written from, values to feed it, and what it must answer."""

    nodes: tuple[Node, ...]
    weights: Mapping[str, np.ndarray | list[bytes]]
    feeds: Mapping[str, np.ndarray]
    answers: Mapping[str, np.ndarray]
    document: Mapping[str, Any]


def drawn(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def prelu(x: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, alpha * x)


def softmax(x: np.ndarray) -> np.ndarray:
    raised = np.exp(x - x.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def simple() -> Known:
    """5 x, with a signature that lacks its inputs."""
    x = drawn(3, 1)
    nodes = (
        placeholder("x", None, 1),
        new_node("MatMul", "dense", ["x", "kernel"], T=FLOAT),
        new_node("Identity", "Identity", ["dense"], T=FLOAT),
    )
    outputs = {"Identity": {"name": "Identity:0", "dtype": "DT_FLOAT"}}
    document = {"userDefinedMetadata": {"signature": {"outputs": outputs}}}
    return Known(nodes, {"kernel": np.array([[5]], np.float32)}, {"x": x}, {"Identity": 5 * x}, document)


def with_prelu() -> Known:
    """Dense layers with Prelu between them, twice with one slope; its signature is that of `userDefinedMetadata`."""
    x, kernel, square, alpha, out = drawn(4, 7), drawn(7, 5), drawn(5, 5), drawn(5), drawn(5, 1)
    nodes = (
        placeholder("input_vector", None, 7),
        new_node("MatMul", "dense", ["input_vector", "kernel"], T=FLOAT),
        new_node("Prelu", "p_re_lu", ["dense", "alpha"]),
        new_node("MatMul", "dense_1", ["p_re_lu", "square"], T=FLOAT),
        new_node("Prelu", "p_re_lu_1", ["dense_1", "alpha"]),
        new_node("MatMul", "scores", ["p_re_lu_1", "out"], T=FLOAT),
        new_node("Identity", "Identity", ["scores"], T=FLOAT),
    )
    signature = {
        "inputs": {"input_vector:0": info("input_vector", -1, 7)},
        "outputs": {"Identity:0": info("Identity", -1, 1)},
    }
    weights = {"kernel": kernel, "square": square, "alpha": alpha, "out": out}
    answer = prelu(prelu(x @ kernel, alpha) @ square, alpha) @ out
    document = {"userDefinedMetadata": {"signature": signature}}
    return Known(nodes, weights, {"input_vector": x}, {"Identity": answer}, document)


def info(name: str, *sizes: int) -> dict[str, Any]:
    dims = [{"size": str(size)} for size in sizes]
    return {"name": f"{name}:0", "dtype": "DT_FLOAT", "tensorShape": {"dim": dims}}


def depthwise(activation: str) -> Known:
    """A depthwise convolution that is fused with its bias and activation."""
    x, kernel, bias, alpha = drawn(1, 6, 6, 2), drawn(3, 3, 2, 1), drawn(2), drawn(2)
    extra = {"alpha": alpha} if activation == "Prelu" else {}
    fused = new_node(
        "FusedDepthwiseConv2dNative",
        "conv",
        ["image", "kernel", "bias", *extra],
        T=FLOAT,
        fused_ops=["BiasAdd", activation],
        strides=[1, 1, 1, 1],
        padding="VALID",
    )
    nodes = (placeholder("image", 1, 6, 6, 2), fused, new_node("Identity", "Identity", ["conv"], T=FLOAT))
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    linear = np.einsum("bhwckl,klc->bhwc", windows, kernel[..., 0]) + bias
    answer = prelu(linear, alpha) if extra else relu(linear)
    return Known(nodes, {"kernel": kernel, "bias": bias, **extra}, {"image": x}, {"Identity": answer}, {})


def multi_head() -> Known:
    """Scores and a reconstruction of one input."""
    x, scores, back = drawn(2, 12), drawn(12, 3), drawn(12, 12)
    nodes = (
        placeholder("x", None, 12),
        new_node("MatMul", "classifier/MatMul", ["x", "scores"], T=FLOAT),
        new_node("Softmax", "classifier/Softmax", ["classifier/MatMul"], T=FLOAT),
        new_node("Identity", "Identity", ["classifier/Softmax"], T=FLOAT),
        new_node("MatMul", "autoencoder/MatMul", ["x", "back"], T=FLOAT),
        new_node("Identity", "Identity_1", ["autoencoder/MatMul"], T=FLOAT),
    )
    answers = {"Identity": softmax(x @ scores), "Identity_1": x @ back}
    return Known(nodes, {"scores": scores, "back": back}, {"x": x}, answers, {})


def two_inputs() -> Known:
    """A - 2 b; the file's own signature has names that the predecessor did not read."""
    a, b = drawn(2, 3), drawn(2, 3)
    nodes = (
        placeholder("a", None, 3),
        placeholder("b", None, 3),
        new_node("Mul", "scaled", ["b", "two"], T=FLOAT),
        new_node("Sub", "Identity", ["a", "scaled"], T=FLOAT),
    )
    signature = {
        "inputs": {"left": info("a", -1, 3), "right": info("b", -1, 3)},
        "outputs": {"difference": info("Identity", -1, 3)},
    }
    return Known(
        nodes, {"two": np.array(2, np.float32)}, {"a": a, "b": b}, {"Identity": a - 2 * b}, {"signature": signature}
    )


def of_int64() -> Known:
    """Rows of a matrix, by numbers of type int64."""
    rows, ids = drawn(5, 2), np.array([4, 0, 2], np.int64)
    types = {"Tparams": FLOAT, "Tindices": DType.int64, "Taxis": DType.int32}
    nodes = (
        placeholder("ids", None, dtype=DType.int64),
        new_node("GatherV2", "rows_of", ["rows", "ids", "axis"], **types),
        new_node("Identity", "Identity", ["rows_of"], T=FLOAT),
    )
    return Known(nodes, {"rows": rows, "axis": np.array(0, np.int32)}, {"ids": ids}, {"Identity": rows[ids]}, {})


def with_table() -> Known:
    """A hash table, filled by the model's initializer."""
    words, values = [b"cat", b"dog"], np.array([3, 4], np.float32)
    types = {"Tin": DType.string, "Tout": FLOAT}
    table = new_node("HashTableV2", "table", key_dtype=DType.string, value_dtype=FLOAT, shared_name="77")
    fill = new_node("LookupTableImportV2", "fill", ["table", "words", "values"], **types)
    nodes = (
        placeholder("word", None, dtype=DType.string),
        table,
        new_node("LookupTableFindV2", "Identity", ["table", "word", "missing"], **types),
    )
    inner = (const("words", words), const("values", values), table, fill)
    initializer = [json_format.MessageToDict(made.message) for made in inner]
    return Known(
        nodes,
        {"missing": np.array(-1, np.float32), "words": words, "values": values},
        {"word": np.array([b"dog", b"cow"], object)},
        {"Identity": np.array([4, -1], np.float32)},
        {"modelInitializer": {"node": initializer}},
    )


MODELS: Mapping[str, Known] = {
    "simple": simple(),
    "prelu": with_prelu(),
    "depthwise_relu": depthwise("Relu"),
    "depthwise_prelu": depthwise("Prelu"),
    "multi_head": multi_head(),
    "two_inputs": two_inputs(),
    "int64": of_int64(),
    "table": with_table(),
}


def write(name: str, folder: Path) -> str:
    """Write a model's files, and give its folder."""
    known = MODELS[name]
    return str(write_model(folder, known.nodes, known.weights, **known.document).parent)
