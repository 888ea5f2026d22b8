"""Text in the width of the terminal, sizes and counts."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from textwrap import wrap

__all__ = ["counted", "listed", "size_text", "width"]

_NARROWEST, _WIDEST = 40, 120
_SPACE = "\N{NO-BREAK SPACE}"


def width() -> int:
    """The columns of the terminal, from 40 to 120; 80 if standard output is none."""
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size().columns))


def listed(items: Iterable[str], indent: int, first: str = "") -> Iterator[str]:
    """Items with commas between them on lines that fit beside `indent`; an item stays on one line if it can.

    `first` stands before the items, and further lines begin below them.
    """
    text = ", ".join(item.replace(" ", _SPACE) for item in items)
    room, later = width() - indent - 1, " " * min(len(first), 12)
    # wrap takes no-break spaces for letters, so an item is a word.
    for line in wrap(text, room, initial_indent=first, subsequent_indent=later, break_on_hyphens=False):
        yield line.replace(_SPACE, " ")


def size_text(size: int) -> str:
    """A number of bytes in decimal units: `5.0 MB`."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(size) >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} B"


def counted(number: int, noun: str) -> str:
    """`no models`, `1 model`, `2,000 models`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun}s" if number else f"no {noun}s"
