"""Cases of convolution.json: convolutions and pools, by padding, stride, dilation and format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from bundler.dtypes import DType
from bundler.nodes import Value, node
from bundler.protos import NodeDef
from tests.conformance.case import AGREES, Cannot, Case, Const, Differs, Verdict, case, one
from tests.conformance.formulas import depthwise

__all__ = ["CASES"]

FLOAT, INT = DType.float32, DType.int32
TOLERANCE = 1e-4
X = np.sin(np.arange(2 * 7 * 6 * 2, dtype=np.float32)).reshape(2, 7, 6, 2)
W = np.cos(np.arange(3 * 3 * 2 * 4, dtype=np.float32)).reshape(3, 3, 2, 4) / 4
DEEP = np.cos(np.arange(3 * 3 * 2 * 2, dtype=np.float32)).reshape(3, 3, 2, 2) / 2
WAVE = np.sin(np.arange(2 * 9 * 3, dtype=np.float32)).reshape(2, 9, 3)
VOLUME = np.sin(np.arange(2 * 4 * 5 * 6 * 2, dtype=np.float32)).reshape(2, 4, 5, 6, 2)
EXPLICIT = [0, 0, 1, 2, 0, 3, 0, 0]
PADS: dict[str, dict[str, Value]] = {
    "SAME": {"padding": "SAME"},
    "VALID": {"padding": "VALID"},
    "EXPLICIT": {"padding": "EXPLICIT", "explicit_paddings": EXPLICIT},
}
FIRST = {"to_first": [0, 3, 1, 2], "to_last": [0, 2, 3, 1]}
UNKNOWN = {"x": (None, None, None, 2)}


def plane(height: int, width: int) -> list[int]:
    return [1, height, width, 1]


def first(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


def convolutions() -> Iterator[Case]:
    for (name, pad), stride, rate in product(PADS.items(), (1, 2), (1, 2)):
        attrs = {**pad, "strides": plane(stride, stride), "dilations": plane(rate, rate)}
        refused = Cannot("a stride and a dilation exclude each other") if stride > 1 < rate else AGREES
        yield case("Conv2D", f"{name} stride {stride} rate {rate}", X, Const(W), tolerance=TOLERANCE, javascript=refused, **attrs)
    more: dict[str, dict[str, Value]] = {
        "unequal strides": {"padding": "SAME", "strides": plane(2, 1)},
        "unequal rates": {"padding": "SAME", "strides": plane(1, 1), "dilations": plane(2, 1)},
        "unknown size": {"padding": "SAME", "strides": plane(2, 2)},
    }
    for name, attrs in more.items():
        dims = UNKNOWN if name == "unknown size" else None
        yield case("Conv2D", name, X, Const(W), dims=dims, tolerance=TOLERANCE, **attrs)
    yield case("Conv2D", "1 by 1", X, Const(W[:1, :1]), padding="SAME", strides=plane(1, 1), tolerance=TOLERANCE)
    yield case("Conv2D", "fed filter", X, W, padding="SAME", strides=plane(1, 1), tolerance=TOLERANCE)
    old = one("Conv2D", "y", {"x": X, "x1": Const(W)}, padding="SAME", strides=plane(1, 1), dilations=plane(2, 2))
    yield case(
        "Conv2D",
        "rates at the front",
        X,
        Const(W),
        padding="SAME",
        strides=plane(1, 1),
        dilations=[2, 2, 1, 1],
        tolerance=TOLERANCE,
        meaning=[old],
        javascript=Differs("the rates are read as [1, r, r, 1]"),
    )
    grouped = np.concatenate([X, X[..., ::-1]], axis=-1)
    yield case(
        "Conv2D",
        "groups",
        grouped,
        Const(W),
        padding="SAME",
        strides=plane(1, 1),
        tolerance=TOLERANCE,
        javascript=Cannot("groups: the filter must be as deep as the image"),
    )


def channels_first(op: str, name: str, *further: Const, javascript: Verdict = AGREES, x: np.ndarray = X, **attrs: Any) -> Case:
    """An op in NCHW (or NCDHW); it means what the op means in the other order, between transpositions."""
    rank = x.ndim
    last, order = ("NHWC", "NCHW") if rank == 4 else ("NDHWC", "NCDHW")
    inputs: dict[str, Any] = {"x": x, **{f"x{at}": given for at, given in enumerate(further, 1)}}
    plain = one(op, "plain", {**inputs, "last": x}, **attrs, data_format=last)
    plain = node(op, "plain", ["last", *list(inputs)[1:]], **{**{key: plain.attr[key] for key in plain.attr}, "data_format": last})
    moved = {key: [value[0], value[-1], *value[1:-1]] for key, value in attrs.items() if isinstance(value, list)}
    if "explicit_paddings" in attrs:
        pads = attrs["explicit_paddings"]
        moved["explicit_paddings"] = [*pads[:2], *pads[-2:], *pads[2:-2]]
    meaning = [
        node("Const", "to_last", dtype=INT, value=np.array([0, *range(2, rank), 1], np.int32)),
        node("Const", "to_first", dtype=INT, value=np.array([0, rank - 1, *range(1, rank - 1)], np.int32)),
        node("Transpose", "last", ["x", "to_last"], T=FLOAT, Tperm=INT),
        plain,
        node("Transpose", "y", ["plain", "to_first"], T=FLOAT, Tperm=INT),
    ]
    attrs = {**attrs, **moved, "data_format": order}
    return case(op, name, first(x), *further, meaning=meaning, tolerance=TOLERANCE, javascript=javascript, **attrs)


def formats() -> Iterator[Case]:
    for name, pad in PADS.items():
        attrs = {**pad, "strides": plane(2, 1)}
        yield channels_first("Conv2D", f"NCHW {name}", Const(W), **attrs)
    yield channels_first("Conv2D", "NCHW rate 2", Const(W), padding="SAME", strides=plane(1, 1), dilations=plane(2, 2))
    for op in ("MaxPool", "AvgPool"):
        yield channels_first(op, "NCHW", padding="SAME", ksize=plane(2, 3), strides=plane(2, 1))
    for op in ("MaxPool3D", "AvgPool3D"):
        attrs = {"padding": "VALID", "ksize": [1, 2, 2, 3, 1], "strides": [1, 1, 2, 2, 1]}
        yield channels_first(op, "NCDHW", x=VOLUME, **attrs)
    kernel = Const(np.cos(np.arange(2 * 3 * 3 * 2 * 3, dtype=np.float32)).reshape(2, 3, 3, 2, 3) / 4)
    yield channels_first("Conv3D", "NCDHW", kernel, x=VOLUME, padding="SAME", strides=[1, 1, 2, 1, 1])


def value(array: np.ndarray) -> list[NodeDef]:
    return [node("Const", "y", dtype=FLOAT, value=array)]


def depthwises() -> Iterator[Case]:
    """What these mean is told by NumPy: TensorFlow's own kernels lack most of them."""
    for op, (name, pad) in product(("DepthwiseConv2dNative", "DepthwiseConv2d"), PADS.items()):
        for strides, rates in product(((1, 1), (2, 2), (2, 1), (1, 3)), ((1, 1), (2, 2), (3, 1))):
            if op == "DepthwiseConv2d" and rates != (1, 1):
                continue
            yield deep(op, f"{name} strides {strides} rates {rates}", pad, strides, rates)
    native = "DepthwiseConv2dNative"
    yield deep(native, "unknown size", PADS["SAME"], (2, 2), (2, 2), dims=UNKNOWN)
    yield deep(native, "unknown size rate 2", PADS["SAME"], (1, 1), (2, 2), dims=UNKNOWN)
    yield deep(native, "unknown size unequal strides", PADS["SAME"], (3, 2), (1, 1), dims=UNKNOWN)
    for name, pad in PADS.items():
        yield deep(native, f"NCHW {name}", pad, (2, 2), (1, 1), order="NCHW")
    yield deep(native, "NCHW rate 2", PADS["SAME"], (1, 1), (2, 2), order="NCHW")


def deep(
    op: str,
    name: str,
    pad: dict[str, Value],
    strides: tuple[int, int],
    rates: tuple[int, int],
    *,
    dims: Any = None,
    order: str = "NHWC",
) -> Case:
    name = name.replace("(", "").replace(")", "").replace(", ", " by ")
    right = depthwise(X, DEEP, pad, strides, rates)
    attrs: dict[str, Any] = {**pad, "strides": plane(*strides), "dilations": plane(*rates), "data_format": order}
    if order == "NCHW":
        attrs |= {key: [1, 1, *attrs[key][1:3]] for key in ("strides", "dilations")}
        if "explicit_paddings" in attrs:
            attrs["explicit_paddings"] = [0, 0, 0, 0, *EXPLICIT[2:6]]
    javascript = deep_javascript(strides, rates, order)
    x = X if order == "NHWC" else first(X)
    meaning = value(right if order == "NHWC" else first(right))
    return case(op, name, x, Const(DEEP), meaning=meaning, dims=dims, tolerance=TOLERANCE, javascript=javascript, **attrs)


def deep_javascript(strides: tuple[int, int], rates: tuple[int, int], order: str) -> Verdict:
    if max(strides) > 1 < max(rates):
        return Cannot("a stride and a dilation exclude each other")
    return AGREES if order == "NHWC" else Cannot("NCHW: the filter is compared with the wrong dimension")


def fused(op: str, name: str, ops: list[str], steps: list[NodeDef], *further: Const, javascript: Verdict = AGREES, **attrs: Value) -> Case:
    """A fused convolution; `steps` read `conv` and make `y`."""
    base = "Conv2D" if op == "_FusedConv2D" else "DepthwiseConv2dNative"
    filter = W if base == "Conv2D" else DEEP
    shared: dict[str, Value] = {"padding": "SAME", "strides": plane(2, 2)}
    shared |= {key: attrs[key] for key in ("padding", "strides", "explicit_paddings") if key in attrs}
    conv = one(base, "conv", {"x": X, "x1": Const(filter)}, **shared)
    return case(
        op,
        name,
        X,
        Const(filter),
        *further,
        fused_ops=ops,
        meaning=[conv, *steps],
        tolerance=TOLERANCE,
        javascript=javascript,
        **{"num_args": len(further), **shared, **attrs},
    )


BIAS, ALPHA = Const([0.1, -0.2, 0.3, -0.4]), Const([0.5, -0.5, 2.0, 0.0])
PLANE = Const(np.cos(np.arange(2 * 4 * 3 * 4, dtype=np.float32)).reshape(2, 4, 3, 4))


def biased(name: str = "y", bias: str = "x2", op: str = "BiasAdd") -> NodeDef:
    return node(op, name, ["conv", bias], T=FLOAT)


def prelu(x: str, alpha: str) -> list[NodeDef]:
    return [
        node("ZerosLike", "zero", [x], T=FLOAT),
        node("Greater", "positive", [x, "zero"], T=FLOAT),
        node("Mul", "scaled", [x, alpha], T=FLOAT),
        node("SelectV2", "y", ["positive", x, "scaled"], T=FLOAT),
    ]


UNREAD_SLOPE = Differs("the slope is not read")
NO_TANH = Cannot("Tanh is no activation it fuses")


def fusions() -> Iterator[Case]:
    for op in ("_FusedConv2D", "FusedDepthwiseConv2dNative"):
        yield fused(op, "bias", ["BiasAdd"], [biased()], BIAS)
        for act in ("Relu", "Relu6", "Elu", "Sigmoid", "Tanh"):
            steps = [biased("sum"), node(act, "y", ["sum"], T=FLOAT)]
            yield fused(op, f"bias {act}", ["BiasAdd", act], steps, BIAS, javascript=NO_TANH if act == "Tanh" else AGREES)
        leaky = [biased("sum"), node("LeakyRelu", "y", ["sum"], T=FLOAT, alpha=0.3)]
        slope = AGREES if op == "_FusedConv2D" else UNREAD_SLOPE
        yield fused(op, "bias LeakyRelu", ["BiasAdd", "LeakyRelu"], leaky, BIAS, leakyrelu_alpha=0.3, javascript=slope)
        yield fused(op, "bias Prelu", ["BiasAdd", "Prelu"], [biased("sum"), *prelu("sum", "x3")], BIAS, ALPHA)
        yield fused(op, "Prelu", ["NoOp", "Prelu"], prelu("conv", "x2"), ALPHA)
        yield fused(op, "Relu", ["NoOp", "Relu"], [node("Relu", "y", ["conv"], T=FLOAT)])
        steps = [biased("sum"), node("Relu6", "y", ["sum"], T=FLOAT)]
        yield fused(op, "VALID", ["BiasAdd", "Relu6"], steps, BIAS, padding="VALID")
        yield fused(op, "scalar bias", ["BiasAdd"], [biased(op="AddV2")], Const(0.5))
        yield fused(
            op,
            "residual for a bias",
            ["BiasAdd", "Relu"],
            [biased("sum", op="AddV2"), node("Relu", "y", ["sum"], T=FLOAT)],
            PLANE,
            javascript=Cannot("a bias must be a scalar or a vector"),
        )


def transposed() -> Iterator[Case]:
    """Conv2DBackpropInput: the sizes of the result come first."""
    filter = np.ascontiguousarray(np.swapaxes(W, 2, 3)[..., :2])  # height, width, out, in
    for padding, stride in product(("SAME", "VALID"), (1, 2)):
        sizes = [2, *(size * stride if padding == "SAME" else (size - 1) * stride + 3 for size in (7, 6)), 4]
        attrs = {"padding": padding, "strides": plane(stride, stride)}
        yield case("Conv2DBackpropInput", f"{padding} stride {stride}", Const(sizes), Const(filter), X, tolerance=TOLERANCE, **attrs)
    yield case(
        "Conv2DBackpropInput",
        "odd size",
        Const([2, 13, 12, 4]),
        Const(filter),
        X,
        padding="SAME",
        strides=plane(2, 2),
        tolerance=TOLERANCE,
    )


def conv_1d(padding: str, stride: int, rate: int) -> Case:
    filter = np.cos(np.arange(3 * 3 * 2, dtype=np.float32)).reshape(3, 3, 2)
    meaning = [
        node("Const", "row", dtype=INT, value=np.array(1, np.int32)),
        node("Const", "first", dtype=INT, value=np.array(0, np.int32)),
        node("ExpandDims", "image", ["x", "row"], T=FLOAT),
        node("ExpandDims", "filter", ["x1", "first"], T=FLOAT),
        node("Conv2D", "conv", ["image", "filter"], T=FLOAT, padding=padding, strides=[1, 1, stride, 1], dilations=[1, 1, rate, 1]),
        node("Squeeze", "y", ["conv"], T=FLOAT, squeeze_dims=[1]),
    ]
    refused = Cannot("a stride and a dilation exclude each other") if stride > 1 < rate else AGREES
    name = f"{padding} stride {stride} rate {rate}"
    attrs = {"padding": padding, "stride": stride, "dilation": rate, "data_format": "NWC"}
    return case("Conv1D", name, WAVE, Const(filter), meaning=meaning, tolerance=TOLERANCE, javascript=refused, **attrs)


def pools() -> Iterator[Case]:
    for op, padding, (size, stride) in product(("MaxPool", "AvgPool"), ("SAME", "VALID"), ((2, 2), (3, 1), (3, 2))):
        attrs = {"padding": padding, "ksize": plane(size, size), "strides": plane(stride, stride)}
        yield case(op, f"{padding} size {size} stride {stride}", X, tolerance=TOLERANCE, **attrs)
    yield case("MaxPool", "unequal", X, padding="SAME", ksize=plane(3, 2), strides=plane(1, 2))
    explicit = {"padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 1, 1, 0, 0, 0]}
    refused = Cannot("explicit paddings are not read")
    yield case("MaxPool", "EXPLICIT", X, ksize=plane(3, 3), strides=plane(2, 2), javascript=refused, **explicit)
    for op, padding, size in product(("MaxPool3D", "AvgPool3D"), ("SAME", "VALID"), (2, 3)):
        attrs = {"padding": padding, "ksize": [1, size, size, size, 1], "strides": [1, 2, 1, 2, 1]}
        yield case(op, f"{padding} size {size}", VOLUME, tolerance=TOLERANCE, **attrs)
    for padding, batch in product(("SAME", "VALID"), (False, True)):
        attrs = {"padding": padding, "ksize": plane(2, 2), "strides": plane(2, 2)}
        name = f"{padding} index {'over the batch' if batch else 'in the image'}"
        yield case("MaxPoolWithArgmax", name, X, include_batch_in_index=batch, Targmax=DType.int64, **attrs)


def volumes() -> Iterator[Case]:
    filter = Const(np.cos(np.arange(2 * 3 * 3 * 2 * 3, dtype=np.float32)).reshape(2, 3, 3, 2, 3) / 4)
    for padding, stride in product(("SAME", "VALID"), (1, 2)):
        attrs = {"padding": padding, "strides": [1, stride, stride, 1, 1], "data_format": "NDHWC"}
        yield case("Conv3D", f"{padding} stride {stride}", VOLUME, filter, tolerance=TOLERANCE, **attrs)
    yield case("Conv3D", "format left out", VOLUME, filter, padding="SAME", strides=[1] * 5, tolerance=TOLERANCE)


def dilations() -> Iterator[Case]:
    filter = Const(np.cos(np.arange(18, dtype=np.float32)).reshape(3, 3, 2) / 4)
    for padding, stride, rate in product(("SAME", "VALID"), (1, 2), (1, 2)):
        attrs: dict[str, Sequence[int] | str] = {"padding": padding, "strides": plane(stride, stride), "rates": plane(rate, rate)}
        yield case("Dilation2D", f"{padding} stride {stride} rate {rate}", X, filter, tolerance=TOLERANCE, **attrs)


CASES = [
    *convolutions(),
    *formats(),
    *depthwises(),
    *fusions(),
    *transposed(),
    *(conv_1d(*how) for how in product(("SAME", "VALID"), (1, 2), (1, 2))),
    *pools(),
    *volumes(),
    *dilations(),
]
