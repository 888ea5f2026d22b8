"""How the cost of a build grows with nodes, bytes and models: three sizes of each, and the line through them."""

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
    """One way to grow: `generate` writes the models of one size into a folder; `unit` is what the slope is told by."""

    name: str
    unit: str
    per_unit: float
    sizes: tuple[int, ...]
    generate: Callable[[Path, int], dict[str, Path]]


def _models(folder: Path, count: int) -> dict[str, Path]:
    return {f"m{index}": models.write_nodes(folder / str(index), 300, seed=index) for index in range(count)}


_AXES = (
    _Axis("nodes", "1,000 nodes", 1e3, (1_000, 10_000, 100_000), lambda to, n: {"m": models.write_nodes(to, n)}),
    _Axis("bytes", "GB", 1e9, (4, 16, 64), lambda to, n: {"m": models.write_weights(to, n)}),
    _Axis("models", "model", 1, (1, 10, 40), _models),
)
_WEIGHT_BYTES = 16 << 20


def scaling(setting: Setting) -> Iterator[Row]:
    """A row for each size and for each slope; the picture goes where the setting says."""
    panels = []
    for axis in _AXES:
        points = []
        for size in axis.sizes:
            row = _grown(axis, size, setting)
            points.append((row.figures["size"], row.figures["seconds"]))
            yield row
        slope, start = np.polyfit(*zip(*points), 1)
        yield Row(f"{axis.name}, slope", {"milliseconds": slope * axis.per_unit * 1e3}, note=f"for each {axis.unit}")
        panels.append(Panel(axis.name, f"{slope * axis.per_unit * 1e3:.3g} ms for each {axis.unit}", points, slope, start))
    setting.picture.write_text(chart.draw("Seconds that a build takes", panels))


def _grown(axis: _Axis, size: int, setting: Setting) -> Row:
    folder = setting.folder / f"{axis.name}-{size}"
    manifest = manifests.write(setting.folder / f"{folder.name}.toml", axis.generate(folder, size))
    return build(f"{axis.name} {size:,}", manifest, setting, "--no-check")
