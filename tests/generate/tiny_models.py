"""Write the tiny models of manifests/models: TensorFlow.js graph models of a few kB that do real work.

    python tests/generate/tiny_models.py [FOLDER]

`digits` reads a digit in an 8x8 image; `edges` finds edges in an image of any size; `moments`
normalises a batch and marks its outliers. Between them they hold what the converter of
TensorFlow.js writes into a file: fused operations, Prelu, weights in float32, float16, uint8 and
int32, a tensor that spans two shards, outputs of several dtypes.

Only integers and IEEE divisions are computed, nothing is drawn at random: every machine writes the
same bytes, and tests/whole/test_tiny_models.py compares them with the files in the repository.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["DIGITS", "TinyModel", "digits", "drawn", "edges", "files", "models", "moments"]

Json: TypeAlias = dict[str, Any]
Array: TypeAlias = npt.NDArray[Any]

DTYPES = {"float32": "DT_FLOAT", "int32": "DT_INT32", "bool": "DT_BOOL"}


@dataclass(frozen=True)
class TinyModel:
    """A model before it is spelled as files.

    `weights` become Const nodes; `quantize` is the dtype that float32 weights are stored in, and
    `shard_bytes` the size of a shard (the last may be shorter).
    """

    nodes: tuple[Json, ...]
    weights: Mapping[str, Array]
    inputs: Json
    outputs: Json
    quantize: str = "float32"
    shard_bytes: int = 4 << 20


# --- The models ---------------------------------------------------------------------------------

DIGITS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
"""The segments of a seven-segment display that are lit for each digit."""

SEGMENTS = {
    "a": np.s_[0:2, 1:7],
    "b": np.s_[0:4, 6:8],
    "c": np.s_[4:8, 6:8],
    "d": np.s_[6:8, 1:7],
    "e": np.s_[4:8, 0:2],
    "f": np.s_[0:4, 0:2],
    "g": np.s_[3:5, 1:7],
}
"""Where each segment lies in an image of 8x8 pixels."""


def digits() -> TinyModel:
    """Probabilities of the ten digits for 8x8 images: [?, 64] -> [?, 10].

    The hidden layer sums blocks of 2x2 pixels, less one, so that a lone wrong pixel counts for
    nothing; the output layer is a perceptron trained on the ten digits with any one pixel wrong.
    """
    name = "StatefulPartitionedCall/digits"
    blocks = _blocks()
    kernel, bias = _perceptron(blocks)
    return TinyModel(
        nodes=(
            _placeholder("image", "float32", (-1, 64)),
            _fused("_FusedMatMul", f"{name}/hidden/Relu", "image", f"{name}/hidden", ["BiasAdd", "Relu"], **MATMUL),
            _fused(
                "_FusedMatMul", f"{name}/scores/BiasAdd", f"{name}/hidden/Relu", f"{name}/scores", ["BiasAdd"], **MATMUL
            ),
            _node("Softmax", f"{name}/softmax/Softmax", f"{name}/scores/BiasAdd", T=FLOAT),
            _node("Identity", "Identity", f"{name}/softmax/Softmax", T=FLOAT),
        ),
        weights={
            f"{name}/hidden/kernel": blocks.astype("<f4"),
            f"{name}/hidden/bias": np.full(16, -1, "<f4"),
            f"{name}/scores/kernel": (kernel / 8).astype("<f4"),
            f"{name}/scores/bias": (bias / 8).astype("<f4"),
        },
        inputs=_entry("image", "image:0", "float32", (-1, 64)),
        outputs=_entry("probabilities", "Identity:0", "float32", (-1, 10)),
        shard_bytes=3072,
    )


def edges() -> TinyModel:
    """Edges of grey images of any size: [?, ?, ?, 1] -> gradients [?, ?, ?, 3], strength [?, ?, ?, 1].

    The gradients are Sobel's two, made absolute by a Prelu of slope -1, and Laplace's with its
    negative side at a quarter.
    """
    name = "StatefulPartitionedCall/edges"
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    laplace = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]])
    size = (-1, -1, -1)
    conv: Json = CONV | {"strides": _ints([1, 1, 1, 1]), "dilations": _ints([1, 1, 1, 1])}
    return TinyModel(
        nodes=(
            _placeholder("image", "float32", (*size, 1)),
            _fused("FusedDepthwiseConv2dNative", f"{name}/depthwise", "image", f"{name}/filters", ["BiasAdd"], **conv),
            _node("Prelu", f"{name}/p_re_lu/Relu", f"{name}/depthwise", f"{name}/p_re_lu/Neg"),
            _fused(
                "_FusedConv2D",
                f"{name}/strength/Relu",
                f"{name}/p_re_lu/Relu",
                f"{name}/strength",
                ["BiasAdd", "Relu"],
                **conv,
                use_cudnn_on_gpu={"b": True},
                epsilon={"f": 0},
            ),
            _node("Identity", "Identity", f"{name}/p_re_lu/Relu", T=FLOAT),
            _node("Identity", "Identity_1", f"{name}/strength/Relu", T=FLOAT),
        ),
        weights={
            f"{name}/filters/kernel": np.stack([sobel, sobel.T, laplace], -1).reshape(3, 3, 1, 3).astype("<f4"),
            f"{name}/filters/bias": np.array([0, 0, -0.125], "<f4"),
            f"{name}/p_re_lu/Neg": np.array([-1, -1, 0.25], "<f4").reshape(1, 1, 3),
            f"{name}/strength/kernel": np.array([0.5, 0.5, 0.25], "<f4").reshape(1, 1, 3, 1),
            f"{name}/strength/bias": np.array([-0.0625], "<f4"),
        },
        inputs=_entry("image", "image:0", "float32", (*size, 1)),
        outputs=_entry("Identity:0", "Identity:0", "float32", (*size, 3))
        | _entry("Identity_1:0", "Identity_1:0", "float32", (*size, 1)),
        quantize="float16",
    )


def moments() -> TinyModel:
    """Mean and variance of a batch over its examples, the batch normalised, and its outliers.

    `batch` [?, 8] -> `mean`, `variance` [8]; `normalised` [?, 8]; `is_outlier` [?, 8], bool: more
    than 1.5 deviations from the mean; `outliers` [?], int32: how many an example has.
    """
    nodes = (
        _placeholder("batch", "float32", (-1, 8)),
        _reduce("Mean", "mean", "batch", "axis"),
        _node("SquaredDifference", "deviation", "batch", "mean", T=FLOAT),
        _reduce("Mean", "variance", "deviation", "axis"),
        _node("AddV2", "stable", "variance", "epsilon", T=FLOAT),
        _node("Rsqrt", "precision", "stable", T=FLOAT),
        _node("Sub", "centred", "batch", "mean", T=FLOAT),
        _node("Mul", "standard", "centred", "precision", T=FLOAT),
        _node("Mul", "scaled", "standard", "gamma", T=FLOAT),
        _node("AddV2", "normalised", "scaled", "beta", T=FLOAT),
        _node("Abs", "distance", "standard", T=FLOAT),
        _node("Greater", "is_outlier", "distance", "limit", T=FLOAT),
        _node("Cast", "marks", "is_outlier", SrcT=_type("bool"), DstT=_type("int32"), Truncate={"b": False}),
        _reduce("Sum", "outliers", "marks", "last_axis", dtype="int32"),
    )
    return TinyModel(
        nodes=nodes,
        weights={
            "axis": np.array([0], "<i4"),
            "last_axis": np.array([1], "<i4"),
            "epsilon": np.array(1 / 1024, "<f4"),
            "limit": np.array(1.5, "<f4"),
            "gamma": (np.arange(8) / 7 + 0.5).astype("<f4"),
            "beta": ((np.arange(8) - 4) / 10).astype("<f4"),
        },
        inputs=_entry("batch", "batch:0", "float32", (-1, 8)),
        outputs=_entry("mean", "mean:0", "float32", (8,))
        | _entry("variance", "variance:0", "float32", (8,))
        | _entry("normalised", "normalised:0", "float32", (-1, 8))
        | _entry("is_outlier", "is_outlier:0", "bool", (-1, 8))
        | _entry("outliers", "outliers:0", "int32", (-1,)),
        quantize="uint8",
    )


def models() -> dict[str, TinyModel]:
    """All of them, by the name of their folder."""
    return {"digits": digits(), "edges": edges(), "moments": moments()}


# --- What `digits` has learned ------------------------------------------------------------------


def drawn(digit: int) -> Array:
    """A digit as 64 pixels of 0 and 1."""
    image = np.zeros((8, 8), np.int64)
    for segment in DIGITS[digit]:
        image[SEGMENTS[segment]] = 1
    return image.reshape(64)


def _blocks() -> Array:
    """[64, 16]: pixel to block of 2x2 pixels."""
    row, column = np.divmod(np.arange(64), 8)
    blocks: Array = np.equal.outer(row // 2 * 4 + column // 2, np.arange(16))
    return blocks


def _perceptron(blocks: Array) -> tuple[Array, Array]:
    """Kernel [16, 10] and bias [10], in whole numbers, that separate all of the samples."""
    kernel, bias = np.zeros((16, 10), np.int64), np.zeros(10, np.int64)
    samples = [(np.maximum(image @ blocks - 1, 0), digit) for image, digit in _samples()]
    mistakes = True
    while mistakes:
        mistakes = False
        for hidden, digit in samples:
            guess = int(np.argmax(hidden @ kernel + bias))
            if guess != digit:
                mistakes = True
                kernel[:, digit] += hidden
                kernel[:, guess] -= hidden
                bias[digit] += 1
                bias[guess] -= 1
    return kernel, bias


def _samples() -> Iterator[tuple[Array, int]]:
    """Each digit with each of its pixels wrong, digit after digit."""
    for wrong in np.eye(64, dtype=np.int64):
        for digit in range(10):
            yield drawn(digit) ^ wrong, digit


# --- How the converter spells nodes -------------------------------------------------------------

FLOAT: Json = {"type": "DT_FLOAT"}


def _text(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def _ints(values: Iterable[int]) -> Json:
    return {"list": {"i": [str(value) for value in values]}}


def _type(dtype: str) -> Json:
    return {"type": DTYPES[dtype]}


def _shape(shape: Iterable[int]) -> Json:
    dims = [{"size": str(size)} for size in shape]
    return {"dim": dims} if dims else {}


MATMUL: Json = {"transpose_a": {"b": False}, "transpose_b": {"b": False}, "epsilon": {"f": 0}}
CONV: Json = {
    "padding": {"s": _text("SAME")},
    "data_format": {"s": _text("NHWC")},
    "explicit_paddings": {"list": {}},
}


def _node(op: str, name: str, *inputs: str, **attrs: Json) -> Json:
    node: Json = {"name": name, "op": op, "input": list(inputs)}
    return node | ({"attr": attrs} if attrs else {})


def _placeholder(name: str, dtype: str, shape: Iterable[int]) -> Json:
    return {"name": name, "op": "Placeholder", "attr": {"dtype": _type(dtype), "shape": {"shape": _shape(shape)}}}


def _const(name: str, value: Array) -> Json:
    tensor = {"dtype": DTYPES[value.dtype.name], "tensorShape": _shape(value.shape)}
    return {"name": name, "op": "Const", "attr": {"dtype": _type(value.dtype.name), "value": {"tensor": tensor}}}


def _fused(op: str, name: str, x: str, layer: str, fused: Iterable[str], **attrs: Json) -> Json:
    """A convolution or product with the kernel and bias of `layer`, and what follows it, in one node."""
    ops = {"list": {"s": [_text(step) for step in fused]}}
    attrs = {"T": FLOAT, "num_args": {"i": "1"}, "fused_ops": ops} | attrs
    node = _node(op, name, x, f"{layer}/kernel", f"{layer}/bias", **attrs)
    return node | ({"device": "/device:CPU:0"} if op.startswith("_") else {})


def _reduce(op: str, name: str, x: str, axis: str, dtype: str = "float32") -> Json:
    return _node(op, name, x, axis, T=_type(dtype), Tidx=_type("int32"), keep_dims={"b": False})


def _entry(key: str, tensor: str, dtype: str, shape: Iterable[int]) -> Json:
    """One entry of a signature."""
    return {key: {"name": tensor, "dtype": DTYPES[dtype], "tensorShape": _shape(shape)}}


# --- Files --------------------------------------------------------------------------------------


def files(model: TinyModel) -> dict[str, bytes]:
    """The files of a model, by name: model.json and its shards."""
    stored = [_stored(name, value, model.quantize) for name, value in model.weights.items()]
    content = b"".join(data for _, data in stored)
    shards = [content[at : at + model.shard_bytes] for at in range(0, len(content), model.shard_bytes)]
    names = [f"group1-shard{number}of{len(shards)}.bin" for number in range(1, len(shards) + 1)]
    topology = _topology(model, [{"paths": names, "weights": [entry for entry, _ in stored]}])
    return {"model.json": json.dumps(topology).encode() + b"\n", **dict(zip(names, shards, strict=True))}


def _topology(model: TinyModel, manifest: list[Json]) -> Json:
    constants = [_const(name, value) for name, value in model.weights.items()]
    return {
        "format": "graph-model",
        "generatedBy": "tests/generate/tiny_models.py",
        "convertedBy": "tests/generate/tiny_models.py",
        "signature": {"inputs": model.inputs, "outputs": model.outputs},
        "modelTopology": {"node": [*constants, *model.nodes], "library": {}, "versions": {"producer": 1395}},
        "weightsManifest": manifest,
    }


def _stored(name: str, value: Array, quantize: str) -> tuple[Json, bytes]:
    """A weight's entry in the manifest, and its bytes; integers and scalars stay as they are."""
    entry: Json = {"name": name, "shape": list(value.shape), "dtype": value.dtype.name}
    if quantize == "float32" or value.dtype.name != "float32" or not value.shape:
        return entry, value.tobytes()
    quantization: Json = {"dtype": quantize, "original_dtype": "float32"}
    if quantize == "float16":
        return entry | {"quantization": quantization}, value.astype("<f2").tobytes()
    low, high = float(value.min()), float(value.max())
    scale = (high - low) / 255
    levels = np.rint((value.astype("<f8") - low) / scale).astype("u1")
    return entry | {"quantization": quantization | {"min": low, "scale": scale}}, levels.tobytes()


def write(folder: Path) -> None:
    """Write every model into a folder of its own below `folder`."""
    for name, model in models().items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for file, content in files(model).items():
            (folder / name / file).write_bytes(content)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parents[2] / "manifests" / "models")
