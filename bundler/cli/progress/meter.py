"""One line that says how far the steps of a run are: a word for what runs, a bar if its size is known, and a clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Step", "meter"]

_WIDEST = 100
"""Characters of the longest line."""
_BAR = 30
_SHORTEST_BAR = 6
"""Characters of the longest and of the shortest bar."""


@dataclass
class Step:
    """A step of a run: `done` of its `size` in bytes, or of its `count` of parts, if one of them is known."""

    what: str
    size: int | None = None
    count: int | None = None
    done: int = 0

    @property
    def total(self) -> int | None:
        """The size or the count."""
        return self.size or self.count

    @property
    def words(self) -> str:
        """`convert 3/11`."""
        return f"{self.what} {self.done}/{self.count}" if self.count else self.what

    @property
    def amount(self) -> str:
        """`2.1/5.0 MB`; empty if the step has no size in bytes."""
        if not self.size:
            return ""
        unit, scale = next(((name, scale) for name, scale in _UNITS if self.size >= scale), ("B", 1))
        return f"{self.done / scale:.1f}/{self.size / scale:.1f} {unit}" if scale > 1 else f"{self.done}/{self.size} B"


_UNITS = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


def meter(steps: Sequence[Step], seconds: float, columns: int, unicode: bool = True) -> str:
    """The line for steps that run, the outermost first, in less than `columns` characters.

    It names the outermost and the one that began last. Without `unicode` it is ASCII if the steps' words are.
    """
    from tqdm import tqdm

    outer, inner = (steps[0], steps[-1]) if steps else [Step("")] * 2
    words = outer.words if inner is outer else f"{outer.words}: {inner.words}"
    metered = next((step for step in (inner, outer) if step.total), None)
    end = f"{inner.amount} {tqdm.format_interval(seconds)}".strip()
    room = min(columns - 1, _WIDEST) - _cells(end) - 1
    if metered is None or room < _cells(words) + _SHORTEST_BAR + 1:
        return f"{_shortened(words, room, unicode)} {end}".lstrip()[: max(0, columns - 1)]
    ncols = _cells(words) + 1 + min(_BAR, room - _cells(words) - 1)
    bar = tqdm.format_meter(
        min(metered.done, metered.total or 0),
        metered.total,
        seconds,
        ncols=ncols,
        ascii=not unicode,
        prefix=words,
        bar_format="{desc} {bar}",
    )
    return f"{bar} {end}"


def _cells(text: str) -> int:
    """The columns that a text takes at most: a character that is not ASCII may take two."""
    return len(text) + sum(not char.isascii() for char in text)


def _shortened(text: str, most: int, unicode: bool) -> str:
    """The text in at most `most` columns, without a part of its middle: the ends of addresses differ."""
    if _cells(text) <= most:
        return text
    mark = "…" if unicode else "..."
    kept = most - _cells(mark)
    for size in range(min(kept, len(text)), -1, -1):
        head, tail = text[: size // 3], text[len(text) - (size - size // 3) :]
        if _cells(head) + _cells(tail) <= kept:
            return f"{head}{mark}{tail}"
    return ""
