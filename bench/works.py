"""What is measured, by name, with the goals on a machine of two processors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from bench import manifests, measure, models
from bench.builds import Setting, build, build_again, conversions, predecessor
from bench.composed import composed
from bench.inference import inference
from bench.latency import latency
from bench.loads import loads
from bench.rows import Goal, Row
from bench.scaling import scaling
from bench.use import use
from bench.weights import weights
from bundler.cli.options import processors
from bundler.runtimes.tensorflow import Runtime

__all__ = ["WORKS", "Work"]


class Work(NamedTuple):
    """Rows, one after another as they are found; `heavy` works run when they are asked for."""

    measure: Callable[[Setting], Iterator[Row]]
    heavy: bool = False


def _start(setting: Setting) -> Iterator[Row]:
    for flag in ("--help", "--version"):
        yield Row(flag, measure.figures([measure.module("bundler", flag) for _ in range(setting.runs)]))


def _posenet(setting: Setting) -> Iterator[Row]:
    """From the cache: a first fetch is the network's time."""
    path = manifests.POSENET
    posenet = manifests.human_models()["posenet"]
    checked = build("with load check", path, setting, goals=[Goal("seconds", 1.2)])
    yield checked
    yield build("no check", path, setting, "--no-check", goals=[Goal("seconds", 0.7)])
    yield from predecessor({"posenet": posenet}, setting, than=checked, times=5)


def _many(setting: Setting) -> Iterator[Row]:
    found = manifests.human_models()
    named = {name: manifests.npm_source(path) for name, path in found.items()}
    manifest = manifests.write(setting.folder / "many.toml", named)
    goals = [Goal("times_copy", 4), Goal("own_mb", 200)]
    alone = conversions("conversions alone, on one", manifest, 1, setting)
    yield alone
    both = conversions("conversions alone, on all", manifest, processors(), setting)
    yield replace(_faster(both, alone), goals=(Goal("speedup", 1.6, at_least=True),))
    one = build("on one processor", manifest, setting, "--no-check", "-j", "1", processors=1)
    yield one
    two = _faster(build("on all", manifest, setting, "--no-check", goals=goals), one)
    yield two
    yield build_again("again", manifest, setting, "--no-check", goals=[Goal("seconds", 0.4)])
    yield from predecessor(found, setting, than=two, times=20)


def _faster(row: Row, than: Row) -> Row:
    return replace(row, figures={**row.figures, "speedup": than.figures["seconds"] / row.figures["seconds"]})


def _nodes(setting: Setting) -> Iterator[Row]:
    model = models.write_nodes(setting.folder / "nodes", 100_000)
    manifest = manifests.write(setting.folder / "nodes.toml", {"nodes": model})
    yield build("100,000 nodes", manifest, setting, "--no-check")


def _one_gb(setting: Setting) -> Iterator[Row]:
    model = models.write_weights(setting.folder / "large", 64)
    manifest = manifests.write(setting.folder / "large.toml", {"large": model}, weights="constants")
    yield build("constants", manifest, setting, "--no-check", goals=[Goal("own_mb", 250), Goal("times_copy", 2)])


def _three_gb(setting: Setting) -> Iterator[Row]:
    model = models.write_weights(setting.folder / "huge", 192)
    manifest = manifests.write(setting.folder / "huge.toml", {"huge": model}, weights="variables")
    together = [Goal("own_mb", 250), Goal("largest_mb", 1250)]  # 1.5 GB for the build and its child
    yield build("variables, with check", manifest, setting, goals=together)
    yield Row("load all of it", {"load_seconds": _load(setting.folder / "output")})


def _load(bundle: Path) -> float:
    """Seconds that TensorFlow's runtime takes to load a bundle with all its variables."""
    with Runtime() as runtime:
        started = time.perf_counter()
        runtime.load(bundle, ["serve"], [])
        return time.perf_counter() - started


WORKS = {
    "start": Work(_start),
    "posenet": Work(_posenet),
    "many": Work(_many),
    "nodes": Work(_nodes),
    "inference": Work(inference),
    "composed": Work(composed),
    "one-gb": Work(_one_gb, heavy=True),
    "three-gb": Work(_three_gb, heavy=True),
    "scaling": Work(scaling, heavy=True),
    "use": Work(use, heavy=True),
    "weights": Work(weights, heavy=True),
    "loads": Work(loads, heavy=True),
    "latency": Work(latency, heavy=True),
}
