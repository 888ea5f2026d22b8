"""Cases of convolution.json: depthwise convolutions. NumPy gives their meaning: TensorFlow's kernels lack most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from bundler.ir.nodes import Shape, Value
from tests.conformance.case import Case, Const, case
from tests.conformance.formulas import depthwise, the_value
from tests.conformance.images import EXPLICIT, MIXED, PADS, TOLERANCE, UNKNOWN, X, both, first, plane, wave

__all__ = ["CASES"]

W = wave(3, 3, 2, 2) / 2
Pair = tuple[int, int]
STRIDES: list[Pair] = [(1, 1), (2, 2), (2, 1), (1, 3)]
RATES: list[Pair] = [(1, 1), (2, 2), (3, 1)]


def last() -> Iterator[Case]:
    for (name, pad), strides, rates in product(PADS.items(), STRIDES, RATES):
        yield deep(name, pad, strides, rates)
    for (name, pad), strides in product(PADS.items(), STRIDES):
        yield deep(name, pad, strides, (1, 1), op="DepthwiseConv2d")
    for strides, rates in [((1, 1), (2, 2)), ((3, 2), (1, 1)), ((2, 2), (2, 2))]:
        yield deep("unknown size", PADS["SAME"], strides, rates, dims=UNKNOWN)


def deep(
    name: str,
    pad: Mapping[str, Value],
    strides: Pair,
    rates: Pair,
    *,
    op: str = "DepthwiseConv2dNative",
    dims: Mapping[str, Shape] | None = None,
) -> Case:
    attrs: dict[str, Any] = {**pad, "strides": plane(*strides), "dilations": plane(*rates), "data_format": "NHWC"}
    return case(
        op,
        f"{name} strides {strides[0]} {strides[1]} rates {rates[0]} {rates[1]}",
        X,
        Const(W),
        meaning=the_value(depthwise(X, W, pad, strides, rates)),
        dims=dims,
        tolerance=TOLERANCE,
        javascript=both(max(strides), max(rates)),
        **attrs,
    )


def channels_first() -> Iterator[Case]:
    strided = {name: (pad, 2, 1) for name, pad in PADS.items()}
    for name, (pad, stride, rate) in {**strided, "rate 2": (PADS["SAME"], 1, 2)}.items():
        attrs: dict[str, Any] = {**pad, "strides": [1, 1, stride, stride], "dilations": [1, 1, rate, rate]}
        if "explicit_paddings" in pad:
            attrs["explicit_paddings"] = [0, 0, 0, 0, *EXPLICIT[2:6]]
        meaning = the_value(first(depthwise(X, W, pad, (stride, stride), (rate, rate))))
        how: dict[str, Any] = {"meaning": meaning, "tolerance": TOLERANCE, "javascript": MIXED}
        yield case("DepthwiseConv2dNative", f"NCHW {name}", first(X), Const(W), data_format="NCHW", **how, **attrs)


CASES = [*last(), *channels_first()]
