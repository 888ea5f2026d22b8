"""Cases of transformation.json: the same numbers in another form."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.nodes import shape_proto
from tests.conformance.case import Cannot, Case, Const, Differs, case
from tests.conformance.images import channels_first

__all__ = ["CASES"]

MATRIX = np.arange(6, dtype=np.float32).reshape(2, 3)
IMAGE = np.arange(32, dtype=np.float32).reshape(1, 2, 4, 4)
VALUES = {"float32": [-1.7, 0.0, 2.5], "int32": [-3, 0, 300], "bool": [True, False, True]}
UNREAD = Cannot("the shape, an attribute, is looked for among the inputs")


def casts() -> Iterator[Case]:
    for source, values in VALUES.items():
        for target in ("float32", "int32", "bool"):
            to = DType.parse(target)
            yield case("Cast", f"{source} to {target}", values, DstT=to, Truncate=False)
    yield case("Cast", "float32 to complex64", [1.5, -2.0], DstT=DType.complex64, Truncate=False)
    yield case("Cast", "int32 to int64", [1, -2], DstT=DType.int64, Truncate=False)
    yield case("Cast", "float32 to float64", [1.5, -2.0], DstT=DType.float64, Truncate=False)
    yield case("Cast", "int32 to uint8", [1, 200], DstT=DType.uint8, Truncate=False)
    yield case("Cast", "uint8 to float32", np.array([1, 200], np.uint8), DstT=DType.float32, Truncate=False)
    yield case(
        "Cast",
        "int32 to uint8 beyond 255",
        [257, -1],
        DstT=DType.uint8,
        Truncate=False,
        javascript=Differs("there is no uint8 to wrap around in"),
    )


def shapes() -> Iterator[Case]:
    for axis in (0, 1, -1, 2):
        yield case("ExpandDims", f"axis {axis}", MATRIX, Const(axis))
    x = MATRIX.reshape(1, 2, 1, 3)
    for dims in ([], [0], [2], [0, 2], [-2]):
        yield case("Squeeze", f"dims {' '.join(map(str, dims)) or 'all'}", x, squeeze_dims=dims)
    for shape in ([3, 2], [-1], [1, 6, 1], [2, -1]):
        yield case("Reshape", " by ".join(map(str, shape)), MATRIX, Const(shape))
    yield case("Reshape", "fed shape", MATRIX, [3, 2])
    yield case("Reshape", "strings", ["a", "b", "c", "d"], Const([2, 2]))
    yield case("Reshape", "to a scalar", [4.5], Const([], "int32"))


def paddings() -> Iterator[Case]:
    rows, columns, both = [[1, 2], [0, 0]], [[0, 0], [2, 1]], [[1, 1], [2, 2]]
    for name, padding in {"rows": rows, "columns": columns, "both": both}.items():
        yield case("Pad", name, MATRIX, Const(padding))
        yield case("PadV2", name, MATRIX, Const(padding), Const(-1.5))
    yield case("Pad", "int32", [1, 2], Const([[1, 0]]))
    yield case("PadV2", "int32", [1, 2], Const([[1, 0]]), Const(9))
    for mode in ("REFLECT", "SYMMETRIC"):
        yield case("MirrorPad", mode.lower(), MATRIX, Const([[1, 1], [2, 1]]), mode=mode)
        yield case("MirrorPad", f"{mode.lower()} rank 4", IMAGE, Const([[0, 0], [1, 1], [2, 2], [0, 0]]), mode=mode)


def blocks() -> Iterator[Case]:
    yield case("SpaceToBatchND", "plain", IMAGE, Const([2, 2]), Const([[0, 0], [0, 0]]))
    yield case("SpaceToBatchND", "padded", IMAGE, Const([2, 3]), Const([[1, 1], [1, 1]]))
    yield case("SpaceToBatchND", "one dimension", IMAGE, Const([2]), Const([[0, 2]]))
    batch = np.arange(32, dtype=np.float32).reshape(4, 2, 2, 2)
    yield case("BatchToSpaceND", "plain", batch, Const([2, 2]), Const([[0, 0], [0, 0]]))
    yield case("BatchToSpaceND", "cropped", batch, Const([2, 2]), Const([[1, 0], [0, 2]]))
    yield case("BatchToSpaceND", "one dimension", batch, Const([4]), Const([[1, 2]]))
    yield case("DepthToSpace", "block 2", IMAGE, block_size=2, data_format="NHWC")
    last = Cannot("channels must come last")
    yield channels_first("DepthToSpace", "NCHW", np.repeat(IMAGE, 2, axis=3), block_size=2, javascript=last)
    yield case("DepthToSpace", "two channels", np.repeat(IMAGE, 2, axis=3), block_size=2, data_format="NHWC")


def broadcasts() -> Iterator[Case]:
    yield case("BroadcastTo", "rows", [[1.0, 2.0]], Const([3, 2]))
    yield case("BroadcastTo", "new dimensions", [1, 2, 3], Const([2, 1, 3]))
    yield case("BroadcastTo", "scalar", 2.5, Const([2, 2]))
    yield case("BroadcastArgs", "equal rank", [2, 1], [1, 3])
    yield case("BroadcastArgs", "other rank", [4, 2, 1], [5])
    yield case("EnsureShape", "known", MATRIX, shape=shape_proto((2, 3)), javascript=UNREAD)
    yield case("EnsureShape", "partly known", MATRIX, shape=shape_proto((None, 3)), javascript=UNREAD)


CASES = [*casts(), *shapes(), *paddings(), *blocks(), *broadcasts()]
