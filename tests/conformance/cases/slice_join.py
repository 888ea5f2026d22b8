"""Cases of slice_join.json: to cut tensors, to join them, to pick from them and to put into them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from tests.conformance.case import Cannot, Case, Const, Differs, case

__all__ = ["CASES"]

CUBE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
WHOLE = CUBE.astype(np.int32)
WORDS = np.array(["a", "bc", "", "ä"])
LONG = Const([1, 0], "int64")
NOT_TEXT = Differs("bytes that are no UTF-8 are replaced")
NO_STRINGS = Cannot("its kernel takes no strings")


def int64(*values: object) -> np.ndarray:
    return np.array(values, np.int64)


def joined() -> Iterator[Case]:
    for axis, values in product((0, 1, -1), (CUBE, WHOLE, CUBE > 7)):
        yield case("ConcatV2", f"{values.dtype} axis {axis}", values, values, Const(axis), Tidx=None)
        yield case("Pack", f"{values.dtype} axis {axis}", values, values, axis=axis)
    for axis in (0, 2):
        yield case("Concat", f"axis {axis}", Const(axis), CUBE, CUBE, CUBE)
    yield case("ConcatV2", "unequal", CUBE, CUBE[:1], Const(0))
    yield case("ConcatV2", "empty", CUBE, CUBE[:0], Const(0))
    yield case("ConcatV2", "strings", WORDS, WORDS, Const(0))
    yield case("ConcatV2", "bytes", np.array([b"\xff"], object), WORDS, Const(0), javascript=NOT_TEXT)
    yield case("ConcatV2", "int64 axis", CUBE, CUBE, Const(1, "int64"))
    yield case("ConcatV2", "complex64", CUBE + 1j, CUBE * 1j, Const(1))
    yield case("Pack", "scalars", 1.0, 2.0, 3.0)
    yield case("Pack", "one", CUBE, axis=3)
    yield case("Pack", "strings", WORDS, WORDS, axis=1)


def picked() -> Iterator[Case]:
    for axis, indices in product((0, 1, -1), ([1, 0, 1], [[0], [1]], 1)):
        name = f"axis {axis} of {np.ndim(indices)} dimensions"
        yield case("GatherV2", name, CUBE, indices, Const(axis))
    yield case("GatherV2", "batch_dims 1", CUBE, [[0, 2], [1, 1]], Const(1), batch_dims=1)
    yield case("GatherV2", "batch_dims 2", CUBE, [[0, 2, 1], [1, 1, 3]], Const(2), batch_dims=2)
    yield case("GatherV2", "int64 indices", CUBE, LONG, Const(0))
    yield case("GatherV2", "int32", WHOLE, [1], Const(0))
    yield case("GatherV2", "bool", CUBE > 3, [1], Const(0))
    yield case("GatherV2", "strings", WORDS, [2, 0, 1], Const(0), javascript=NO_STRINGS)
    yield case("Gather", "rows", CUBE, [1, 0, 1])
    yield case("Gather", "scalar", CUBE, 1)
    yield case("Gather", "unchecked", CUBE, [[1], [0]], validate_indices=False)
    yield case("Gather", "weights", Const(CUBE), LONG)
    yield case("Gather", "strings", WORDS, [2, 0, 1], javascript=NO_STRINGS)
    yield case("GatherNd", "elements", CUBE, [[0, 1, 2], [1, 2, 3]])
    yield case("GatherNd", "rows", CUBE, [[[1, 0]], [[0, 2]]])
    yield case("GatherNd", "int32", WHOLE, [[1]])
    yield case("GatherNd", "int64 indices", CUBE, int64([1, 0]))


def put() -> Iterator[Case]:
    for name, indices, values, shape in (
        ("elements", [[4], [1], [3]], [9.0, 10.0, 11.0], [6]),
        ("rows", [[2], [0]], [[1.0, 2.0], [3.0, 4.0]], [3, 2]),
        ("twice", [[1], [1]], [5.0, 7.0], [3]),
        ("int32", [[0], [2]], [5, 7], [3]),
    ):
        yield case("ScatterNd", name, indices, values, Const(shape))
    yield case("ScatterNd", "int64", int64([0], [2]), [5.0, 7.0], Const([3], "int64"))
    for name, indices, values in (
        ("elements", [[0, 1], [1, 0]], [9.0, 10.0]),
        ("rows", [[1]], [[7.0, 8.0, 9.0]]),
    ):
        yield case("TensorScatterUpdate", name, Const([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), indices, values)
    yield case("TensorScatterUpdate", "int32", [1, 2, 3], [[0], [2]], [7, 8])
    yield case("SparseToDense", "vector", [[1], [3]], Const([5]), [1.0, 2.0], -1.0)
    yield case("SparseToDense", "matrix", [[0, 1], [2, 0]], Const([3, 2]), [1.0, 2.0], 0.0)
    yield case("SparseToDense", "scalar value", [[0, 1], [2, 0]], Const([3, 2]), 4.0, 0.0)
    yield case("SparseToDense", "int64", int64([0], [2]), Const([4], "int64"), int64(7, 8), Const(0, "int64"))
    yield case("SparseToDense", "unsorted", [[3], [1]], Const([5]), [1, 2], 0, validate_indices=False)
    yield case(
        "SparseToDense",
        "unsorted by default",
        *([[3], [1]], Const([5]), [1, 2], 0),
        meaning=case("SparseToDense", "", [[3], [1]], Const([5]), [1, 2], 0, validate_indices=False).nodes,
    )


def split() -> Iterator[Case]:
    for axis in (0, 1, 2, -2):
        count = CUBE.shape[axis]
        yield case("Split", f"axis {axis}", Const(axis), CUBE, num_split=count)
        yield case("Unpack", f"axis {axis}", CUBE, axis=axis, num=count)
    yield case("Split", "in halves", Const(2), WHOLE, num_split=2)
    yield case("Split", "in one", Const(0), CUBE, num_split=1)
    yield case("SplitV", "sizes", CUBE, Const([1, 3]), Const(2), num_split=2)
    yield case("SplitV", "negative axis", CUBE, Const([2, 1]), Const(-2), num_split=2)
    yield case("SplitV", "the rest", CUBE, Const([1, -1]), Const(2), num_split=2)
    yield case("SplitV", "int64 sizes", WHOLE, Const([1, 2], "int64"), Const(1), num_split=2)
    yield case("Unpack", "int32", WHOLE, axis=0, num=2)
    yield case("Unpack", "strings", WORDS, axis=0, num=4)


def cut() -> Iterator[Case]:
    for name, begin, size in (
        ("inner", [0, 1, 1], [2, 2, 2]),
        ("to the end", [1, 0, 2], [-1, -1, -1]),
        ("nothing", [0, 0, 0], [2, 0, 4]),
    ):
        yield case("Slice", name, CUBE, Const(begin), Const(size))
    yield case("Slice", "int32", WHOLE, Const([1, 0, 0]), Const([1, 3, 4]))
    yield case("Slice", "strings", WORDS, Const([1]), Const([2]))
    yield case("Slice", "fed", CUBE, [0, 1, 0], [1, -1, 2])
    for axes in ([0], [1, 2], [0, 2], []):
        name = f"{len(axes)} axes from {min(axes, default=0)}"
        yield case("ReverseV2", name, CUBE, Const(axes, "int32"))
        yield case("Reverse", name, CUBE, Const([axis in axes for axis in range(3)]))
    yield case("ReverseV2", "negative axis", CUBE, Const([-1]))
    yield case("ReverseV2", "int32", WHOLE, Const([0]))
    yield case("ReverseV2", "int64 axis", CUBE, Const([1], "int64"))
    for name, times in (("once", [1, 1, 1]), ("each", [2, 1, 3])):
        yield case("Tile", name, CUBE, Const(times))
        yield case("Tile", f"{name} of int32", WHOLE, Const(times))
    yield case("Tile", "strings", WORDS, Const([2]))
    yield case("Tile", "never", CUBE, Const([1, 0, 1]))


STRIDES: dict[str, tuple[list[int], list[int], list[int], dict[str, int]]] = {
    "plain": ([0, 1, 1], [2, 3, 4], [1, 1, 2], {}),
    "backwards": ([1, 2, 3], [0, 0, 0], [-1, -1, -2], {}),
    "from the end": ([-1, -2, -3], [2, 3, -1], [1, 1, 1], {}),
    "begin_mask": ([1, 1, 1], [2, 3, 4], [1, 1, 1], {"begin_mask": 5}),
    "end_mask": ([0, 1, 0], [1, 2, 1], [1, 1, 1], {"end_mask": 6}),
    "both masks": ([1, 1, 1], [1, 1, 1], [1, 1, -1], {"begin_mask": 7, "end_mask": 7}),
    "ellipsis": ([0, 1], [0, 3], [1, 1], {"ellipsis_mask": 1}),
    "ellipsis in the middle": ([1, 0, 1], [2, 0, 2], [1, 1, 1], {"ellipsis_mask": 2}),
    "new axis": ([0, 0, 0], [0, 2, 2], [1, 1, 1], {"new_axis_mask": 1}),
    "new axis after an ellipsis": ([0, 0], [0, 0], [1, 1], {"ellipsis_mask": 1, "new_axis_mask": 2}),
    "shrink": ([1, 0, 0], [2, 3, 4], [1, 1, 1], {"shrink_axis_mask": 1}),
    "shrink two": ([1, 0, -1], [2, 3, 0], [1, 1, 1], {"shrink_axis_mask": 5}),
    "shrink all": ([1, 2, 3], [2, 3, 4], [1, 1, 1], {"shrink_axis_mask": 7}),
    "shrink before an ellipsis": ([1, 0], [2, 0], [1, 1], {"ellipsis_mask": 2, "shrink_axis_mask": 1}),
    "shrink after an ellipsis": ([0, 1], [0, 2], [1, 1], {"ellipsis_mask": 1, "shrink_axis_mask": 2}),
    "too far": ([0, 0, 0], [9, 9, 9], [1, 1, 1], {}),
    "few dimensions": ([1], [2], [1], {}),
}


def strided() -> Iterator[Case]:
    for name, (begin, end, strides, masks) in STRIDES.items():
        yield case("StridedSlice", name, CUBE, Const(begin), Const(end), Const(strides), **masks)
    yield case(
        "StridedSlice",
        "nothing",
        *(CUBE, Const([0, 2, 0]), Const([2, 1, 4]), Const([1, 1, 1])),
        javascript=Cannot("an axis that ends before it begins gets a length of its own"),
    )
    yield case("StridedSlice", "int32", WHOLE, Const([0, 1]), Const([2, 3]), Const([1, 2]))
    yield case("StridedSlice", "strings", WORDS, Const([0]), Const([4]), Const([2]))
    yield case("StridedSlice", "fed", CUBE, [0, 1, 1], [2, 3, 4], [1, 1, 2])


CASES = [*joined(), *picked(), *put(), *split(), *cut(), *strided()]
