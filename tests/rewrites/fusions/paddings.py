"""Pad and a convolution, which become one op."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bundler.ir.dtypes import DType
from tests.conformance.case import Const
from tests.rewrites.fusions.graphs import FLOAT, Trap, const, conv, f, new_node, trap, wave

__all__ = ["TRAPS"]

RULE = "keep_pad_out_of_conv"
PLANE = [[0, 0], [1, 2], [2, 1], [0, 0]]
VOLUME = [[0, 0], [1, 0], [0, 1], [1, 1], [0, 0]]


def padded(op: str, graph: str, found: str, paddings: list[list[int]] | None = None, **options: Any) -> Trap:
    is_volume = op == "Conv3D"
    kind, fed = options.pop("kind", "int32"), options.pop("fed", False)
    x = options.pop("x", wave(1, 4, 5, 6, 2) if is_volume else wave(2, 6, 7, 3))
    filter = wave(2, 2, 2, 2, 4) if is_volume else wave(3, 3, 3, 1) if op.startswith("Depthwise") else wave(3, 3, 3, 8)
    array = Const(paddings or (VOLUME if is_volume else PLANE), kind)
    given = {"x": x, "p": array.value if fed else array, "w": const(filter * 0.3)}
    behind = options.pop("behind", [f("Neg", "y", "c")])
    format = "NDHWC" if is_volume else "NHWC"
    nodes = [
        new_node("Pad", "pad", ["x", "p"], T=FLOAT, Tpaddings=DType[kind]),
        conv("c", "pad", "w", op, **{"padding": "VALID", "data_format": format, **options}),
        *behind,
    ]
    return trap(f"Pad, {op}", graph, found, "" if found == "right" else RULE, given, nodes)


def images() -> Iterator[Trap]:
    for op in ("Conv2D", "DepthwiseConv2dNative"):
        yield padded(op, "height and width are padded", "right")
        yield padded(op, "paddings are an input", "right", fed=True)
        yield padded(op, "the convolution pads too", "right", padding="SAME")
    explicit: dict[str, Any] = {"padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 1, 2, 2, 0, 0]}
    yield padded("Conv2D", "the convolution pads explicitly", "right", **explicit)
    yield padded("Conv2D", "the batch is padded", "wrong", [[1, 0], [1, 1], [1, 1], [0, 0]])
    yield padded("Conv2D", "channels are padded", "refused", [[0, 0], [0, 0], [0, 0], [1, 0]], x=wave(2, 6, 7, 2))
    yield padded("DepthwiseConv2dNative", "the batch is padded", "right", [[1, 0], [1, 1], [1, 1], [0, 0]])


def volumes() -> Iterator[Trap]:
    mish = [f("Softplus", "s", "c"), f("Tanh", "t", "s"), f("Mul", "y", "c", "t")]
    yield padded("Conv3D", "depth, height and width are padded", "right")
    yield padded("Conv3D", "paddings are an input", "right", fed=True)
    yield padded("Conv3D", "paddings of int64", "dies", kind="int64")
    yield padded("Conv3D", "the convolution pads too", "wrong", padding="SAME")
    yield padded("Conv3D", "the batch is padded", "wrong", [[1, 0], *VOLUME[1:]])
    yield padded("Conv3D", "channels are padded", "refused", [*VOLUME[:-1], [1, 0]], x=wave(1, 4, 5, 6, 1))
    yield padded("Conv3D", "LeakyRelu of slope 0.1", "wrong", behind=[f("LeakyRelu", "y", "c", alpha=0.1)])
    yield padded("Conv3D", "Mish", "wrong", behind=mish)


TRAPS = [*images(), *volumes()]
