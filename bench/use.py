"""Bundles in use: what loading one takes, and the first call of each signature, in C (as a server) and in Python.

Three layouts of the same graphs: with an object graph, plain, and as TensorFlow saves what it loaded. Figures are
seconds of CPU, and memory: a busy machine changes them little.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import numpy as np

from bench import chart, manifests, measure
from bench.builds import Setting
from bench.caller import Call
from bench.chart import Panel
from bench.rows import Row
from bundler.bundle import Bundle, Endpoint
from bundler.disk.scratch import discard
from bundler.ir.model import TensorSpec

__all__ = ["use"]

_COUNTS = (1, 5, 20, 40)
_LAYOUTS = ("object graph", "plain", "TensorFlow's")
_SLOW = ("variables", "plain", "python", 40)
"""Minutes of CPU: Python's loader of plain graphs is quadratic."""
_LEFT_OUT = "rvm"
"""Its inputs depend on each other."""


def use(setting: Setting) -> Iterator[Row]:
    """A row for each number of models, way to hold weights, layout and loader; a picture of the first layout."""
    found = {name: path for name, path in manifests.human_models().items() if name != _LEFT_OUT}
    seconds: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for count in _COUNTS:
        chosen = list(found)[:: len(found) // count][:count]
        sources = {name: manifests.npm_source(found[name]) for name in chosen}
        for weights in ("constants", "variables"):
            for layout, bundle in _bundles(sources, weights, setting):
                for kind in ("c", "python"):
                    if (weights, layout, kind, count) != _SLOW:
                        row = _called(bundle, kind, setting, f"{count} models, {weights}, {layout}, {kind}")
                        yield row
                        if layout == _LAYOUTS[0]:
                            point = (float(count), row.figures["load_cpu_seconds"])
                            seconds.setdefault((kind, weights), []).append(point)
    panels = [_panel(f"{kind}, {weights}", points) for (kind, weights), points in seconds.items()]
    picture = setting.picture.with_name("use.svg")
    picture.write_text(chart.draw("Seconds of CPU that loading a bundle takes, by its number of models", panels))


def _bundles(sources: dict[str, str], weights: str, setting: Setting) -> Iterator[tuple[str, Path]]:
    """The layouts of one bundle, each while it is looked at."""
    for layout, choice in zip(_LAYOUTS, ("auto", "never")):
        folder = setting.folder / "bundle"
        discard(folder)
        manifest = manifests.write(setting.folder / "use.toml", sources, weights=weights, object_graph=choice)
        measure.module("bundler", "build", manifest, "--output", folder, "--quiet", "--no-check")
        yield layout, folder
    again = setting.folder / "again"
    discard(again)
    measure.module("bench.resave", setting.folder / "bundle", again)
    yield _LAYOUTS[2], again


def _called(bundle: Path, kind: str, setting: Setting, case: str) -> Row:
    """Load a bundle and call its signatures, each time in a fresh process."""
    calls, note = setting.folder / "calls", setting.folder / "called"
    calls.write_bytes(pickle.dumps([_call(endpoint) for endpoint in Bundle.open(bundle).endpoints]))
    found = []
    for _ in range(setting.runs):
        measure.module("bench.caller", note, kind, bundle, calls)
        found.append(json.loads(note.read_text()))
    return Row(case, {figure: median(each[figure] for each in found) for figure in found[0]})


def _call(endpoint: Endpoint) -> Call:
    """A call with seeded numbers, in the smallest batch."""
    inputs, outputs = endpoint.signature.inputs, endpoint.signature.outputs
    fed, fetched = ([(spec.tensor.node, spec.tensor.port) for spec in side.values()] for side in (inputs, outputs))
    return Call(endpoint.key, {name: _drawn(spec) for name, spec in inputs.items()}, fed, fetched)


def _drawn(spec: TensorSpec) -> np.ndarray:
    assert spec.dtype is not None
    shape = [size or (64 if axis else 1) for axis, size in enumerate(spec.shape or ())]
    return np.random.default_rng(0).random(shape, np.float32).astype(spec.dtype.numpy)


def _panel(name: str, points: Sequence[tuple[float, float]]) -> Panel:
    """The points of one loader, and the straight line through them."""
    slope, start = (float(part) for part in np.polyfit([x for x, _ in points], [y for _, y in points], 1))
    return Panel(name, f"{slope * 1000:,.0f} ms for each model", points, slope, start)
