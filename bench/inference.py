"""What splitting fused ops costs when the bundle runs: PoseNet as we write it, and with its fused ops left whole.

Two TensorFlows take turns on the same image, so that both meet the same machine. The times include handing
the image over to another process and the answer back (2 MB), which is the same for both.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import numpy as np

from bench import manifests
from bench.builds import Setting
from bench.rows import Goal, Row
from bundler import manifest, rewrites, sources, tfjs
from bundler.convert.select import select
from bundler.ir.model import Graph, Model, Signature
from bundler.ir.nodes import Node, attr
from bundler.link import link
from bundler.manifest import Compat
from bundler.outputs import savedmodel
from bundler.outputs.savedmodel import MetaGraph
from bundler.rewrites.engine import Declined, Each, Pass, rule
from bundler.rewrites.rules.fused import split_fused
from bundler.runtimes.tensorflow import Runtime

__all__ = ["inference"]

_TAGS = ("serve",)
_WARM_UP = 5
_RUNS_OF_EACH = 20
"""Calls for each of the setting's runs."""


def inference(setting: Setting) -> Iterator[Row]:
    """Milliseconds of a call, for both forms of the graph."""
    split = _bundle(rewrites.PASSES[Compat.NONE], setting.folder / "split")
    whole = _bundle(_whole_passes(), setting.folder / "whole")
    signature = next(iter(split.signatures.values()))
    folders = [setting.folder / "split", setting.folder / "whole"]
    of_split, of_whole = map(median, zip(*_take_turns(folders, signature, setting.runs * _RUNS_OF_EACH)))
    figures = {"milliseconds": of_split * 1000, "times_whole": of_split / of_whole}
    yield Row("fused ops split", figures, (Goal("times_whole", 1.03),))
    count = sum(node.op == "_FusedConv2D" for node in whole.graph.nodes)
    yield Row("_FusedConv2D left whole", {"milliseconds": of_whole * 1000, "fused_nodes": count})


def _take_turns(folders: Sequence[Path], signature: Signature, count: int) -> list[list[float]]:
    """Seconds of each call, one of each folder in turn."""
    feeds = {spec.tensor.full: _image(spec.shape) for spec in signature.inputs.values()}
    fetches = [spec.tensor.full for spec in signature.outputs.values()]
    with Runtime() as first, Runtime() as second:

        def call(runtime: Runtime, folder: Path) -> float:
            started = time.perf_counter()
            runtime.run(folder, _TAGS, feeds, fetches)
            return time.perf_counter() - started

        runtimes = dict(zip(folders, (first, second)))
        found = []
        for turn in range(_WARM_UP + count):
            order = folders if turn % 2 else folders[::-1]  # who comes second finds another cache
            seconds = {folder: call(runtimes[folder], folder) for folder in order}
            found.append([seconds[folder] for folder in folders])
    return found[_WARM_UP:]


def _image(shape: Sequence[int | None] | None) -> np.ndarray:
    return np.random.default_rng(0).random([size or 1 for size in shape or ()], np.float32)


def _bundle(passes: Sequence[Pass], folder: Path) -> Model:
    """PoseNet written after these passes."""
    spec = manifest.read(manifests.POSENET)
    chosen = spec.models[0]
    model = select(tfjs.read(sources.fetch(chosen.source, spec.folder)), spec.signatures(chosen)).model
    for rewrite in passes:
        model = rewrite(model)
    linked = link({chosen.name: model})
    folder.mkdir()
    savedmodel.write([MetaGraph(_TAGS, linked)], folder)
    return linked


def _whole_passes() -> list[Pass]:
    """The passes of a build, with the fused ops kept that TensorFlow has."""
    return [
        Each(_keep_fused) if rewrite.__name__ == split_fused.__name__ else rewrite
        for rewrite in rewrites.PASSES[Compat.NONE]
    ]


@rule(*split_fused.ops)
def _keep_fused(fused: Node, graph: Graph) -> Sequence[Node] | Declined | None:
    """Give `_FusedConv2D` the attribute that TensorFlow wants since 2.13; split what it does not know."""
    if fused.op != "_FusedConv2D":
        return split_fused(fused, graph)
    return [fused.having(TArgs=[attr(fused, "T")] * attr(fused, "num_args"))]
