"""A small picture of lines, as SVG: it needs no library, and a README can show it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple, TypeAlias

__all__ = ["Line", "Panel", "Points", "draw", "straight"]

Points: TypeAlias = Sequence[tuple[float, float]]
"""Places (x, y), both above 0."""

_WIDTH, _HEIGHT = 250, 180
_LEFT, _TOP, _RIGHT, _BOTTOM = 60, 55, 20, 30
_STEP = _LEFT + _WIDTH + _RIGHT
_COLOURS = ("#36c", "#c60", "#393")
"""Of the first line, the second, … Like the greys, they can be read on white and on black."""
_STYLE = "text{font:12px sans-serif;fill:#777}.axis{fill:none;stroke:#999}.line{fill:none}"


class Line(NamedTuple):
    """Dots, the curve that is drawn with them, and a note in the colour of both."""

    note: str
    dots: Points
    curve: Points


class Panel(NamedTuple):
    """Up to three lines in one frame, both axes of which are logarithmic."""

    name: str
    lines: Sequence[Line]


class _Scale(NamedTuple):
    """A logarithmic axis from 10**low to 10**high, drawn from one place to another."""

    low: int
    high: int
    begin: float
    end: float

    @classmethod
    def around(cls, values: Iterable[float], begin: float, end: float) -> _Scale:
        decades = [math.log10(value) for value in values]
        low = math.floor(min(decades))
        return cls(low, max(math.ceil(max(decades)), low + 1), begin, end)

    def place(self, value: float) -> float:
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return round(self.begin + part * (self.end - self.begin), 1)

    @property
    def marks(self) -> list[float]:
        return [10.0**decade for decade in range(self.low, self.high + 1)]


def straight(dots: Points, slope: float, start: float) -> Points:
    """The line `start + slope * x` from the first dot to the last, which a logarithmic scale bends."""
    first, last = dots[0][0], dots[-1][0]
    across = (first * (last / first) ** (step / 30) for step in range(31))
    return [(x, start + slope * x) for x in across]


def draw(title: str, panels: Sequence[Panel]) -> str:
    """One SVG document, the panels side by side."""
    box = f"0 0 {_STEP * len(panels)} {_TOP + _HEIGHT + _BOTTOM}"
    lines = (line for index, panel in enumerate(panels) for line in _panel(panel, _STEP * index))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img"><style>{_STYLE}</style>'
    return "\n".join([head, f"<title>{escape(title)}</title>", *lines, "</svg>"]) + "\n"


def _panel(panel: Panel, left: int) -> Iterator[str]:
    dots = [dot for line in panel.lines for dot in line.dots]
    across = _Scale.around((x for x, _ in dots), _LEFT, _LEFT + _WIDTH)
    up = _Scale.around((y for _, y in dots), _TOP + _HEIGHT, _TOP)
    yield f'<g transform="translate({left})">'
    yield _text(_LEFT, 20, panel.name)
    yield f'<path class="axis" d="M{_LEFT} {_TOP}v{_HEIGHT}h{_WIDTH}"/>'
    yield from (_text(across.place(x), _TOP + _HEIGHT + 18, _short(x), "middle") for x in across.marks)
    yield from (_text(_LEFT - 6, up.place(y) + 4, f"{y:g} s", "end") for y in up.marks)
    for index, (line, colour) in enumerate(zip(panel.lines, _COLOURS, strict=False)):
        yield f'<g style="fill:{colour};stroke:{colour}">'
        yield from _line(line, 40 + 18 * index, across, up)
        yield "</g>"
    yield "</g>"


def _line(line: Line, height: int, across: _Scale, up: _Scale) -> Iterator[str]:
    curve = " ".join(f"{across.place(x)},{up.place(y)}" for x, y in line.curve if y >= 10.0**up.low)
    yield f'<text x="{_LEFT + 6}" y="{height}" style="fill:inherit;stroke:none">{escape(line.note)}</text>'
    yield f'<polyline class="line" points="{curve}"/>'
    yield from (f'<circle cx="{across.place(x)}" cy="{up.place(y)}" r="3"/>' for x, y in line.dots)


def _short(value: float) -> str:
    """10000 as `10k`."""
    size, unit = next(((size, unit) for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if value >= size), (1, ""))
    return f"{value / size:g}{unit}"


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
