"""The models of the suite as bundler builds them, and what their bundle gives on every road."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from bundler import rewrites
from bundler.convert.select import select
from bundler.errors import BundlerError
from bundler.ir.model import Model
from bundler.link import link
from bundler.manifest import Compat, SignatureSpec
from bundler.outputs import savedmodel
from bundler.runtimes.failures import Failure
from bundler.runtimes.tensorflow import Runtime
from tests.layers.load import load
from tests.support.answers import NO_ONEDNN, ONEDNN
from tests.support.asking import signatures
from tests.support.models import read_model

__all__ = ["ROADS", "Result", "Results", "Roads", "built", "results", "roads"]

TOGETHER = 64
"""Models in a bundle."""
ROADS = ("session", "session, no oneDNN", "saved_model.load", "saved_model.load, no oneDNN")

Tensors: TypeAlias = Mapping[str, np.ndarray]
Result: TypeAlias = "Tensors | str"
"""The outputs by name, or the words of a refusal."""
Results: TypeAlias = Mapping[str, Result]
Road: TypeAlias = Callable[[Path, Mapping[str, Tensors]], Results]
"""What the signatures of a bundle give for inputs by key and name. Failure if TensorFlow
dies or refuses the bundle."""
Roads: TypeAlias = Mapping[str, Road]


def built(entries: Mapping[str, Path]) -> dict[str, Model | str]:
    """What bundler makes of models, each by its key, or what it says against them."""
    return {key: _built(key, entry) for key, entry in entries.items()}


def _built(key: str, entry: Path) -> Model | str:
    try:
        selection = select(read_model(entry), [SignatureSpec(key=key)])
        return "; ".join(map(str, selection.faults)) or rewrites.run(selection.model, Compat.NONE)
    except BundlerError as error:
        return f"bundler: {error}"


# Roads -------------------------------------------------------------------------------------------


@contextmanager
def roads() -> Iterator[Roads]:
    """All ways to run a bundle, each in a process of its own."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(Runtime(environment=way)) for way in (ONEDNN, NO_ONEDNN)]
        loads = [partial(load, way) for way in (ONEDNN, NO_ONEDNN)]
        yield dict(zip(ROADS, [*(partial(_session, running) for running in sessions), *loads]))


def _session(running: Runtime, bundle: Path, feeds: Mapping[str, Tensors]) -> dict[str, Result]:
    """All signatures in one run: each run goes through the whole graph to find what it needs."""
    known = {key: signatures(bundle)[key] for key in feeds}
    given = {known[key].inputs[name].tensor.full: value for key in feeds for name, value in feeds[key].items()}
    asked = [(key, name, spec.tensor.full) for key in feeds for name, spec in known[key].outputs.items()]
    values = running.run(bundle, ["serve"], given, [tensor for *_, tensor in asked])
    found: dict[str, dict[str, np.ndarray]] = {key: {} for key in feeds}
    for (key, name, _), value in zip(asked, values):
        found[key][name] = value
    return {**found}


# Bundles -----------------------------------------------------------------------------------------


def results(models: Mapping[str, Model], feeds: Mapping[str, Tensors], road: Road, folder: Path) -> Results:
    """What bundles of these models give. TensorFlow takes longer for a model the more models are in its graph."""
    keys = list(models)
    found: dict[str, Result] = {}
    for start in range(0, len(keys), TOGETHER):
        some = {key: models[key] for key in keys[start : start + TOGETHER]}
        found |= _results(some, feeds, road, folder / str(start))
    return found


def _results(models: Mapping[str, Model], feeds: Mapping[str, Tensors], road: Road, folder: Path) -> Results:
    """What one bundle of all models gives; if it fails, halves of it, down to the models that fail alone."""
    try:
        return road(_written(models, folder / "bundle"), {key: feeds[key] for key in models})
    except Failure as failure:
        if len(models) < 2:
            return dict.fromkeys(models, str(failure))
    keys, middle = list(models), len(models) // 2
    halves = {"a": keys[:middle], "b": keys[middle:]}
    found = (_results({key: models[key] for key in half}, feeds, road, folder / name) for name, half in halves.items())
    return {key: result for half in found for key, result in half.items()}


def _written(models: Mapping[str, Model], folder: Path) -> Path:
    if not folder.is_dir():  # another road was here
        folder.mkdir(parents=True)
        savedmodel.write([savedmodel.MetaGraph(("serve",), link(models))], folder)
    return folder
