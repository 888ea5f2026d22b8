"""How the time of a build grows with nodes, bytes and models: three sizes of each, and the line through them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench import chart, manifests, models
from bench.builds import Setting, build
from bench.chart import Line, Panel
from bench.rows import Row

__all__ = ["scaling"]


class _Axis(NamedTuple):
    """One way to grow: `generate` writes models of one of `sizes` into a folder.

    A size of 1 counts for `each` of what the axis is named for; the slope is given for `unit` of that, which
    `per` says in words.
    """

    name: str
    generate: Callable[[Path, int], dict[str, Path]]
    sizes: tuple[int, ...]
    each: int
    unit: int
    per: str


def scaling(setting: Setting) -> Iterator[Row]:
    """A row for each size and for each slope; the picture goes where the setting says."""
    panels = []
    for axis in _AXES:
        rows = []
        for size in axis.sizes:
            rows.append(_grown(axis, size, setting))
            yield rows[-1]
        slope, panel = _line(axis, [row.figures["seconds"] for row in rows])
        yield slope
        panels.append(panel)
    setting.picture.parent.mkdir(parents=True, exist_ok=True)
    setting.picture.write_text(chart.draw("Seconds that a build takes", panels))


def _line(axis: _Axis, seconds: Sequence[float]) -> tuple[Row, Panel]:
    """The straight line through the sizes of an axis, as a row and as a picture."""
    sizes = [size * axis.each for size in axis.sizes]
    slope, start = (float(part) for part in np.polyfit(sizes, seconds, 1))
    milliseconds = slope * axis.unit * 1000
    note = f"{milliseconds:,.0f} ms for {axis.per}"
    dots = list(zip(map(float, sizes), seconds))
    row = Row(f"{axis.name}: slope", {"milliseconds": milliseconds}, note=f"for {axis.per}")
    return row, Panel(f"{axis.name} in the bundle", [Line(note, dots, chart.straight(dots, slope, start))])


def _grown(axis: _Axis, size: int, setting: Setting) -> Row:
    folder = setting.folder / f"{axis.name}-{size}"
    manifest = manifests.write(setting.folder / f"{folder.name}.toml", axis.generate(folder, size))
    return build(f"{axis.name}: {size * axis.each:,}", manifest, setting, "--no-check")


def _one_of_nodes(folder: Path, count: int) -> dict[str, Path]:
    return {"generated": models.write_nodes(folder, count)}


def _one_of_weights(folder: Path, count: int) -> dict[str, Path]:
    return {"generated": models.write_weights(folder, count)}


def _many(folder: Path, count: int) -> dict[str, Path]:
    return {f"model_{index}": models.write_nodes(folder / str(index), 300, seed=index) for index in range(count)}


_AXES = (
    _Axis("nodes", _one_of_nodes, (1_000, 10_000, 100_000), each=1, unit=1_000, per="1,000 nodes"),
    _Axis("bytes", _one_of_weights, (4, 16, 64), each=models.WEIGHT_BYTES, unit=1_000_000_000, per="each GB"),
    _Axis("models", _many, (1, 10, 40), each=1, unit=1, per="each model"),
)
