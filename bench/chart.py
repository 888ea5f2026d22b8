"""A small picture of lines, as SVG: it needs no library, and a README can show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

__all__ = ["Panel", "draw"]

_WIDTH, _HEIGHT = 260, 200
_LEFT, _TOP, _RIGHT, _BOTTOM = 50, 60, 15, 45
_STYLE = "text{font:12px sans-serif;fill:#777}.a{stroke:#999}.l{fill:none;stroke:#36c;stroke-width:2}.p{fill:#36c}"


class Panel(NamedTuple):
    """Points (x, seconds), both axes logarithmic, and the line `start + slope * x` that was fitted to them."""

    name: str
    note: str
    points: Sequence[tuple[float, float]]
    slope: float
    start: float


def draw(title: str, panels: Sequence[Panel]) -> str:
    """One SVG document, the panels side by side."""
    width, height = len(panels) * (_LEFT + _WIDTH + _RIGHT), _TOP + _HEIGHT + _BOTTOM
    body = (line for index, panel in enumerate(panels) for line in _panel(panel, index * (_LEFT + _WIDTH + _RIGHT)))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    return "\n".join([head, f"<style>{_STYLE}</style>", f"<title>{escape(title)}</title>", *body, "</svg>"]) + "\n"


def _panel(panel: Panel, left: int) -> Iterator[str]:
    xs, ys = np.array(panel.points, float).T
    line_xs = np.geomspace(xs.min(), xs.max(), 30)
    line_ys = np.maximum(panel.start + panel.slope * line_xs, ys.min() / 10)
    x_ends, y_ends = _ends(xs), _ends(np.concatenate([ys, line_ys]))
    across = lambda x: _LEFT + _WIDTH * _part(x, x_ends)  # noqa: E731
    up = lambda y: _TOP + _HEIGHT * (1 - _part(y, y_ends))  # noqa: E731
    yield f'<g transform="translate({left})">'
    yield f'<text x="{_LEFT}" y="20">{escape(panel.name)}</text><text x="{_LEFT}" y="40">{escape(panel.note)}</text>'
    yield f'<path class="a" fill="none" d="M{_LEFT} {_TOP}v{_HEIGHT}h{_WIDTH}"/>'
