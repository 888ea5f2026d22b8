"""Which sizes a tensor can have."""

from __future__ import annotations

import pytest

from bundler.ir.shapes import element_count, shown


@pytest.mark.parametrize(
    ("sizes", "count"),
    [
        ([], 1),
        ([2, 3], 6),
        ([3, 0], 0),
        ([(1 << 63) - 1], (1 << 63) - 1),
        ([1] * 254, 1),
        ([2, -1], None),
        ([1 << 62, 2], None),
        ([1] * 255, None),
        ([1 << 62] * 1_000_000, None),
    ],
    ids=lambda value: str(value)[:20],
)
def test_elements_are_counted_if_a_tensor_has_so_many(sizes: list[int], count: int | None) -> None:
    assert element_count(sizes) == count


def test_an_error_lists_the_first_sizes() -> None:
    assert [shown([]), shown([1, None]), shown([1] * 17)] == ["[]", "[1, ?]", f"[{16 * '1, '}… and 1 more]"]
