"""How the time of a build grows with nodes, bytes and models: three sizes of each, and the line through them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench import chart, manifests, models
from bench.builds import Setting, build
from bench.chart import Panel
from bench.rows import Row

__all__ = ["scaling"]


class _Axis(NamedTuple):
    """One way to grow: `generate` writes models of one of `sizes` into a folder.

    A size of 1 counts for `each` of what the axis is named for; the slope is told for `unit` of that.
    """

    name: str
    generate: Callable[[Path, int], dict[str, Path]]
    sizes: tuple[int, ...]
    each: int
    unit: int

    @property
    def per(self) -> str:
        return f"for each {self.name.removesuffix('s')}" if self.unit == 1 else f"for {self.unit:,} {self.name}"


def scaling(setting: Setting) -> Iterator[Row]:
    """A row for each size and for each slope; the picture goes where the setting says."""
    panels = []
    for axis in _AXES:
        points = []
        for size in axis.sizes:
            row = _grown(axis, size, setting)
            points.append((float(size * axis.each), row.figures["seconds"]))
            yield row
        xs, ys = zip(*points)
        slope, start = (float(part) for part in np.polyfit(xs, ys, 1))
        milliseconds = slope * axis.unit * 1000
        yield Row(f"{axis.name}, slope", {"milliseconds": milliseconds}, note=axis.per)
        panels.append(Panel(f"{axis.name} in the bundle", f"{milliseconds:.3g} ms {axis.per}", points, slope, start))
    setting.picture.parent.mkdir(parents=True, exist_ok=True)
    setting.picture.write_text(chart.draw("Seconds that a build takes", panels))


def _grown(axis: _Axis, size: int, setting: Setting) -> Row:
    folder = setting.folder / f"{axis.name}-{size}"
    manifest = manifests.write(setting.folder / f"{folder.name}.toml", axis.generate(folder, size))
    return build(f"{size * axis.each:,} {axis.name}", manifest, setting, "--no-check")


def _one_of_nodes(folder: Path, count: int) -> dict[str, Path]:
    return {"generated": models.write_nodes(folder, count)}


def _one_of_weights(folder: Path, count: int) -> dict[str, Path]:
    return {"generated": models.write_weights(folder, count)}


def _many(folder: Path, count: int) -> dict[str, Path]:
    return {f"model_{index}": models.write_nodes(folder / str(index), 300, seed=index) for index in range(count)}


_AXES = (
    _Axis("nodes", _one_of_nodes, (1_000, 10_000, 100_000), each=1, unit=1_000),
    _Axis("bytes", _one_of_weights, (4, 16, 64), each=models.WEIGHT_BYTES, unit=1_000_000_000),
    _Axis("models", _many, (1, 10, 40), each=1, unit=1),
)
