"""Rectangles in proportion to sizes, each as square as the others allow: a squarified treemap.

Source: Bruls, Huizing, van Wijk: Squarified Treemaps, 2000.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["Box", "squares"]


class Box(NamedTuple):
    """A rectangle by its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float


def squares(sizes: Sequence[float], within: Box) -> list[Box]:
    """A box for each size, in their order. Sizes are positive, and fall from first to last."""
    scale = within.width * within.height / sum(sizes) if sizes else 0.0
    areas, room, boxes, start = [size * scale for size in sizes], within, list[Box](), 0
    while start < len(areas):
        side = min(room.width, room.height)
        end = _end_of_row(areas, start, side)
        boxes += _row(areas[start:end], room)
        room = _rest(room, sum(areas[start:end]))
        start = end
    return boxes


def _end_of_row(areas: Sequence[float], start: int, side: float) -> int:
    """How many boxes share a row along this side: as long as one more makes the worst of them squarer."""
    total, worst, end = 0.0, float("inf"), start
    while end < len(areas):
        longer = total + areas[end]
        found = _worst(areas[start], areas[end], longer, side)
        if found > worst:
            break
        total, worst, end = longer, found, end + 1
    return max(end, start + 1)


def _worst(largest: float, smallest: float, total: float, side: float) -> float:
    """The largest ratio of sides in a row with this total area."""
    if not (smallest and total and side):
        return float("inf")
    return max(side * side * largest / (total * total), total * total / (side * side * smallest))


def _row(areas: Sequence[float], room: Box) -> Iterator[Box]:
    """The boxes of a row, along the shorter side of the room."""
    total, upright = sum(areas), room.width >= room.height
    side = min(room.width, room.height)
    depth, at = (total / side if side else 0.0), 0.0
    for area in areas:
        length = area / depth if depth else 0.0
        yield Box(room.x, room.y + at, depth, length) if upright else Box(room.x + at, room.y, length, depth)
        at += length


def _rest(room: Box, taken: float) -> Box:
    if room.width >= room.height:
        depth = taken / room.height if room.height else 0.0
        return Box(room.x + depth, room.y, max(0.0, room.width - depth), room.height)
    depth = taken / room.width if room.width else 0.0
    return Box(room.x, room.y + depth, room.width, max(0.0, room.height - depth))
