"""`freeze`: the one model of a manifest becomes a frozen graph, a GraphDef that holds its weights."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from bundler import checks
from bundler.disk.publish import publishing_file
from bundler.ir.model import Model
from bundler.outputs import savedmodel
from bundler.progress import step
from bundler.report import Entries, Report
from bundler.runtimes.tensorflow import Runtime
from bundler.verbs.given import Given
from bundler.verbs.linked import linked

__all__ = ["freeze", "frozen"]


def freeze(given: Given, output: Path, *, cuda: bool = False) -> Report:
    """Write the frozen graph into one file, which appears whole or not at all. Raises BundlerError."""
    started = time.perf_counter()
    with Runtime(cuda=cuda) as runtime:
        runtime.start()
        with linked(given, runtime) as bundle, publishing_file(output, inputs=bundle.inputs()) as file:
            (part,) = bundle.parts
            model = part.metagraph.model
            size = savedmodel.write_graph(model, file, jobs=given.jobs, progress=given.progress)
            with step(given.progress, "check"):
                imported = checks.graph(model, part.owners, runtime)
            report = bundle.report()
    return replace(report, output=output, checks=Entries([imported]), bytes=size, seconds=time.perf_counter() - started)


def frozen(given: Given, *, cuda: bool = False) -> Model:
    """The model whose graph `freeze` would write. Raises BundlerError."""
    with Runtime(cuda=cuda) as runtime, linked(given, runtime) as bundle:
        (metagraph,) = bundle.metagraphs
        _ = bundle.files  # raises Damaged if the cache holds other bytes than were fetched
        return metagraph.model
