"""Bundles in use: what loading one takes, the first call of each signature, and further ones, in C and in Python.

Three layouts of the same graphs: with an object graph, plain, and as TensorFlow saves them, which is what a program
gets that loads a SavedModel of each model and saves all of them as one. Figures are seconds of CPU, and memory: a busy
machine changes them little. Milliseconds are by the clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import NamedTuple

from bench import chart, manifests, measure
from bench.builds import Setting, bundle
from bench.chart import Line, Panel
from bench.loaded import LOADERS, loaded
from bench.rows import Row
from bundler.disk.scratch import discard

__all__ = ["Case", "bundles", "drawn", "human_models", "measured", "side_by_side", "use"]

_COUNTS = (1, 5, 20, 40)
_WEIGHTS = ("constants", "variables")
_OURS = {"object graph": "auto", "plain": "never"}
"""Our layouts, with the manifest's word for each."""
_THEIRS = "TensorFlow's"
_LEFT_OUT = "rvm"
"""Its inputs depend on each other."""


class Case(NamedTuple):
    """What one row is about."""

    models: int
    weights: str
    layout: str
    loader: str

    def __str__(self) -> str:
        return f"{self.models} models, {self.weights}, {self.layout}, {self.loader}"


def use(setting: Setting) -> Iterator[Row]:
    """A row for each number of models, way to hold weights, layout and loader; and a picture of the loads."""
    rows: dict[Case, Row] = {}
    for count, weights in product(_COUNTS, _WEIGHTS):
        for case, row in measured(count, weights, setting):
            rows[case] = row
            yield row
    setting.picture.with_name("use.svg").write_text(drawn(rows))


def measured(count: int, weights: str, setting: Setting) -> Iterator[tuple[Case, Row]]:
    """The rows of a number of models."""
    for layout, folder in bundles(human_models(count), weights, setting):
        for loader in LOADERS:
            case = Case(count, weights, layout, loader)
            yield case, loaded(str(case), folder, loader, setting)


def human_models(count: int) -> dict[str, str]:
    """The sources of so many models of one package, spread over its sizes."""
    found = {name: path for name, path in manifests.human_models().items() if name != _LEFT_OUT}
    chosen = list(found)[:: len(found) // count][:count]
    return {name: manifests.npm_source(found[name]) for name in chosen}


def drawn(rows: Mapping[Case, Row]) -> str:
    """The picture: a panel for each loader and way to hold weights, with a line for each layout."""
    panels = [_panel(rows, weights, loader) for loader, weights in product(LOADERS, _WEIGHTS)]
    return chart.draw("Seconds of CPU that loading a bundle takes, by its number of models", panels)


def _panel(rows: Mapping[Case, Row], weights: str, loader: str) -> Panel:
    lines = []
    for layout in (*_OURS, _THEIRS):
        of_layout = {case.models: row.figures for case, row in rows.items() if case[1:] == (weights, layout, loader)}
        figure = "load_cpu_seconds"
        dots = sorted((float(count), found[figure]) for count, found in of_layout.items() if figure in found)
        lines.append(Line(layout, dots, dots))
    return Panel(f"{'C' if loader == 'c' else 'Python'}, {weights}", lines)


def side_by_side(count: int, weights: str, setting: Setting) -> list[Path]:
    """Our two layouts of so many models, the plain one first."""
    return [
        bundle(setting.folder / f"{weights}-{choice}", human_models(count), weights=weights, object_graph=choice)
        for choice in reversed(_OURS.values())
    ]


def bundles(sources: Mapping[str, object], weights: str, setting: Setting) -> Iterator[tuple[str, Path]]:
    """The layouts of one bundle, by name; each takes the place of the one before."""
    for layout, choice in _OURS.items():
        yield layout, bundle(setting.folder / "bundle", sources, weights=weights, object_graph=choice)
    alone = {
        name: bundle(setting.folder / "models" / name, {name: source}, weights=weights, object_graph="never")
        for name, source in sources.items()
    }
    discard(setting.folder / "bundle")
    measure.module("bench.resave", setting.folder / "bundle", *(f"{name}={folder}" for name, folder in alone.items()))
    yield _THEIRS, setting.folder / "bundle"
