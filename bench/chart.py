"""A small picture of lines, as SVG: it needs no library, and a README can show it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

__all__ = ["Panel", "draw"]

_WIDTH, _HEIGHT = 250, 180
_LEFT, _TOP, _RIGHT, _BOTTOM = 60, 55, 20, 30
_STEP = _LEFT + _WIDTH + _RIGHT
_STYLE = "text{font:12px sans-serif;fill:#777}.axis{fill:none;stroke:#999}.line{fill:none;stroke:#36c}circle{fill:#36c}"
"""Colours that can be read on white and on black."""


class Panel(NamedTuple):
    """Points (x, y), both above 0, and the line `start + slope * x` through them; both axes are logarithmic."""

    name: str
    note: str
    points: Sequence[tuple[float, float]]
    slope: float
    start: float


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


def draw(title: str, panels: Sequence[Panel]) -> str:
    """One SVG document, the panels side by side."""
    box = f"0 0 {_STEP * len(panels)} {_TOP + _HEIGHT + _BOTTOM}"
    lines = (line for index, panel in enumerate(panels) for line in _panel(panel, _STEP * index))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img"><style>{_STYLE}</style>'
    return "\n".join([head, f"<title>{escape(title)}</title>", *lines, "</svg>"]) + "\n"


def _panel(panel: Panel, left: int) -> Iterator[str]:
    across = _Scale.around((x for x, _ in panel.points), _LEFT, _LEFT + _WIDTH)
    up = _Scale.around((y for _, y in panel.points), _TOP + _HEIGHT, _TOP)
    yield f'<g transform="translate({left})">'
    yield _text(_LEFT, 20, panel.name)
    yield _text(_LEFT, 40, panel.note)
    yield f'<path class="axis" d="M{_LEFT} {_TOP}v{_HEIGHT}h{_WIDTH}"/>'
    yield from (_text(across.place(x), _TOP + _HEIGHT + 18, _short(x), "middle") for x in across.marks)
    yield from (_text(_LEFT - 6, up.place(y) + 4, f"{y:g} s", "end") for y in up.marks)
    yield f'<polyline class="line" points="{" ".join(_fitted(panel, across, up))}"/>'
    yield from (f'<circle cx="{across.place(x)}" cy="{up.place(y)}" r="3.5"/>' for x, y in panel.points)
    yield "</g>"


def _fitted(panel: Panel, across: _Scale, up: _Scale) -> Iterator[str]:
    """The fitted line, which a logarithmic scale bends."""
    first, last = panel.points[0][0], panel.points[-1][0]
    for step in range(31):
        x = first * (last / first) ** (step / 30)
        y = panel.start + panel.slope * x
        if y >= 10.0**up.low:
            yield f"{across.place(x)},{up.place(y)}"


def _short(value: float) -> str:
    """10000 as `10k`."""
    size, unit = next(((size, unit) for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if value >= size), (1, ""))
    return f"{value / size:g}{unit}"


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
