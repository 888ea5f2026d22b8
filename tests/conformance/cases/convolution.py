"""Cases of convolution.json: convolutions, by padding, stride, dilation and format."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Value, new_node
from tests.conformance.case import Cannot, Case, Const, case, one
from tests.conformance.images import (
    MIXED,
    PADS,
    TOLERANCE,
    UNKNOWN,
    VOLUME,
    X,
    both,
    channels_first,
    plane,
    wave,
)

__all__ = ["CASES"]

FLOAT, INT = DType.float32, DType.int32
W = Const(wave(3, 3, 2, 4) / 4)
KERNEL = Const(wave(2, 3, 3, 2, 3) / 4)
NO_RATES = Cannot("dilations must be given")
NO_FORMAT = Cannot("data_format must be given: NHWC is assumed and then refused")
SINGLE: dict[str, Value] = {"padding": "SAME", "strides": plane(1, 1), "dilations": plane(1, 1)}


def planes() -> Iterator[Case]:
    for (name, pad), stride, rate in product(PADS.items(), (1, 2), (1, 2)):
        attrs = {**pad, "strides": plane(stride, stride), "dilations": plane(rate, rate)}
        yield conv_2d(f"{name} stride {stride} rate {rate}", javascript=both(stride, rate), **attrs)
    yield conv_2d("unequal strides", **{**SINGLE, "strides": plane(2, 1)})
    yield conv_2d("unequal rates", **{**SINGLE, "dilations": plane(2, 1)})
    yield conv_2d("unknown size", **{**SINGLE, "strides": plane(2, 2), "dims": UNKNOWN})
    yield conv_2d("1 by 1", Const(W.value[:1, :1]), **SINGLE)
    yield conv_2d("fed filter", W.value, **SINGLE)
    yield conv_2d("no dilations", **{**SINGLE, "dilations": None}, javascript=NO_RATES)
    meant = one("Conv2D", "y", {"x": X, "x1": W}, **{**SINGLE, "dilations": plane(2, 1)})
    yield conv_2d("rates at the front", **{**SINGLE, "dilations": [2, 2, 1, 1]}, meaning=[meant])
    groups = Cannot("groups: the filter must be as deep as the image")
    yield conv_2d("groups", x=np.concatenate([X, X[..., ::-1]], axis=-1), **SINGLE, javascript=groups)


def conv_2d(name: str, filter: Const | np.ndarray = W, x: np.ndarray = X, **more: object) -> Case:
    return case("Conv2D", name, x, filter, tolerance=TOLERANCE, **more)  # type: ignore[arg-type]


def planes_first() -> Iterator[Case]:
    for name, pad in PADS.items():
        attrs = {**pad, "strides": plane(2, 2), "dilations": plane(1, 1)}
        yield channels_first("Conv2D", f"NCHW {name}", X, W, **attrs, javascript=MIXED)
    attrs = {**SINGLE, "dilations": plane(2, 2)}
    yield channels_first("Conv2D", "NCHW rate 2", X, W, **attrs, javascript=MIXED)


def lines() -> Iterator[Case]:
    """Conv1D means a Conv2D on images of one row."""
    for padding, stride, rate in product(("SAME", "VALID"), (1, 2), (1, 2)):
        shared: dict[str, Value] = {"padding": padding, "strides": plane(1, stride), "dilations": plane(1, rate)}
        meaning = [
            new_node("Const", "row", dtype=INT, value=np.array(1, np.int32)),
            new_node("Const", "first", dtype=INT, value=np.array(0, np.int32)),
            new_node("ExpandDims", "image", ["x", "row"], T=FLOAT),
            new_node("ExpandDims", "filter", ["x1", "first"], T=FLOAT),
            new_node("Conv2D", "conv", ["image", "filter"], T=FLOAT, **shared),
            new_node("Squeeze", "y", ["conv"], T=FLOAT, squeeze_dims=[1]),
        ]
        yield case(
            "Conv1D",
            f"{padding} stride {stride} rate {rate}",
            wave(2, 9, 3),
            Const(wave(3, 3, 2)),
            padding=padding,
            stride=stride,
            dilation=rate,
            data_format="NWC",
            meaning=meaning,
            tolerance=TOLERANCE,
            javascript=both(stride, rate),
        )


def volumes() -> Iterator[Case]:
    single: dict[str, Value] = {"padding": "SAME", "strides": [1] * 5, "dilations": [1] * 5}
    for padding, stride in product(("SAME", "VALID"), (1, 2)):
        attrs = {**single, "padding": padding, "strides": [1, stride, stride, 1, 1], "data_format": "NDHWC"}
        yield conv_3d(f"{padding} stride {stride}", **attrs)
    yield conv_3d("no format", **single, javascript=NO_FORMAT)
    first = Cannot("channels must come last")
    yield channels_first("Conv3D", "NCDHW", VOLUME, KERNEL, **{**single, "strides": [1, 1, 2, 1, 1]}, javascript=first)


def conv_3d(name: str, **more: object) -> Case:
    return case("Conv3D", name, VOLUME, KERNEL, tolerance=TOLERANCE, **more)  # type: ignore[arg-type]


def transposed() -> Iterator[Case]:
    """Conv2DBackpropInput: the sizes of the result come first."""
    for padding, stride in product(("SAME", "VALID"), (1, 2)):
        sizes = [size * stride if padding == "SAME" else (size - 1) * stride + 3 for size in (7, 6)]
        yield backprop(f"{padding} stride {stride}", [2, *sizes, 4], padding, stride)
    yield backprop("odd size", [2, 13, 12, 4], "SAME", 2)
    yield backprop("fed sizes", [2, 14, 12, 4], "SAME", 2, fed=True)


def backprop(name: str, sizes: list[int], padding: str, stride: int, *, fed: bool = False) -> Case:
    inputs = (sizes if fed else Const(sizes), Const(wave(3, 3, 4, 2)), X)
    attrs: dict[str, Value] = {"padding": padding, "strides": plane(stride, stride)}
    return case("Conv2DBackpropInput", name, *inputs, tolerance=TOLERANCE, **attrs)


def dilations() -> Iterator[Case]:
    for padding, stride, rate in product(("SAME", "VALID"), (1, 2), (1, 2)):
        attrs: dict[str, Value] = {"padding": padding, "strides": plane(stride, stride), "rates": plane(rate, rate)}
        yield case("Dilation2D", f"{padding} stride {stride} rate {rate}", X, Const(wave(3, 3, 2)), **attrs)


CASES = [*planes(), *planes_first(), *lines(), *volumes(), *transposed(), *dilations()]
