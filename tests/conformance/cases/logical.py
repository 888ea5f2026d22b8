"""Cases of logical.json: comparison, logic, choice."""

from __future__ import annotations

from collections.abc import Iterator

from tests.conformance.case import Cannot, Case, Const, Differs, case

__all__ = ["CASES"]

COMPARISONS = ("Equal", "NotEqual", "Greater", "GreaterEqual", "Less", "LessEqual")
COMPARED = {
    "float32": ([-1.5, 0.0, 2.0, 3.5], [-1.5, 1.0, 2.0, -3.5]),
    "int32": ([[1, 2], [3, -4]], [[1, 0], [5, -4]]),
    "broadcast": ([[1.0, 2.0, 3.0]], [[1.0], [2.5]]),
    "scalar": ([1.0, 2.0, 3.0], 2.0),
    "nan": ([float("nan"), 1.0, float("inf")], [float("nan"), float("nan"), float("inf")]),
}
BITWISE = Cannot("its executor reads inputs a and b, its op list calls them x and y")
BITS, OTHER_BITS = [True, True, False, False], [True, False, True, False]


def comparisons() -> Iterator[Case]:
    for op in COMPARISONS:
        for name, (a, b) in COMPARED.items():
            yield case(op, name, a, b)
        yield case(op, "weight", [1.0, 2.0], Const([2.0, 2.0]))


CASES = [
    *comparisons(),
    case("Equal", "bool", BITS, OTHER_BITS),
    case("NotEqual", "bool", BITS, OTHER_BITS),
    case("LogicalAnd", "elements", BITS, OTHER_BITS),
    case("LogicalAnd", "broadcast", [[True], [False]], BITS),
    case("LogicalOr", "elements", BITS, OTHER_BITS),
    case("LogicalOr", "broadcast", [[True], [False]], BITS),
    case("LogicalNot", "elements", BITS),
    case("LogicalNot", "scalar", True),
    case("Select", "elements", BITS, [1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]),
    case("Select", "int32", BITS, [1, 2, 3, 4], [5, 6, 7, 8]),
    case("Select", "scalar", False, [1.0, 2.0], [3.0, 4.0]),
    case(
        "Select",
        "rows",
        [True, False, True],
        [[1.0, 2.0]] * 3,
        [[3.0, 4.0]] * 3,
        javascript=Cannot("a vector condition does not choose rows"),
    ),
    case(
        "Select",
        "rows of a square",
        [True, False],
        [[1.0, 2.0], [3.0, 4.0]],
        [[5.0, 6.0], [7.0, 8.0]],
        javascript=Differs("a vector condition on a square is broadcast over columns"),
    ),
    case("SelectV2", "elements", BITS, [1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]),
    case("SelectV2", "broadcast", [[True], [False]], [1.0, 2.0, 3.0], 0.0),
    case("SelectV2", "int32", [[True, False]], [[1], [2]], 7),
    case("SelectV2", "bool", BITS, OTHER_BITS, BITS),
    case("BitwiseAnd", "int32", [12, 7, -1], [10, 3, 5], javascript=BITWISE),
    case("BitwiseAnd", "broadcast", [[12, 7]], [[10], [3]], javascript=BITWISE),
]
