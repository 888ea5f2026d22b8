"""The models of the suite as bundler builds them, and what their bundle gives on every road."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from bundler import rewrites
from bundler.convert.select import select
from bundler.errors import BundlerError, VerificationError
from bundler.ir.model import Model
from bundler.link import link
from bundler.manifest import Compat, SignatureSpec
from bundler.outputs import savedmodel
from bundler.runtimes.tensorflow import Runtime
from tests.support.answers import NO_ONEDNN, ONEDNN, answers
from tests.support.asking import ask
from tests.support.models import read_model

__all__ = ["ROADS", "Result", "Results", "Roads", "built", "results", "roads"]

ROADS = ("session", "session, no oneDNN", "saved_model.load", "saved_model.load, no oneDNN")

Tensors: TypeAlias = Mapping[str, np.ndarray]
Result: TypeAlias = "Tensors | str"
"""The outputs by name, or the words of a refusal."""
Results = Mapping[str, Result]
Road: TypeAlias = Callable[[Path, Mapping[str, Tensors]], Mapping[str, Tensors]]
"""What the signatures of a bundle give for inputs by key and name; AssertionError or VerificationError."""
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


@contextmanager
def roads() -> Iterator[Roads]:
    """All ways to run a bundle, each in a process of its own."""
    with Runtime(environment=ONEDNN) as onednn, Runtime(environment=NO_ONEDNN) as plain:
        ways = (partial(_session, onednn), partial(_session, plain), partial(_load, ONEDNN), partial(_load, NO_ONEDNN))
        yield dict(zip(ROADS, ways))


def _session(running: Runtime, bundle: Path, feeds: Mapping[str, Tensors]) -> dict[str, Tensors]:
    return {key: ask(running, bundle, key, **given) for key, given in feeds.items()}


def _load(environment: Mapping[str, str], bundle: Path, feeds: Mapping[str, Tensors]) -> dict[str, Tensors]:
    return answers(bundle, feeds, environment)


def results(models: Mapping[str, Model], feeds: Mapping[str, Tensors], road: Road, folder: Path) -> Results:
    """What one bundle of all models gives; if it fails, halves of it, down to the models that fail alone."""
    try:
        return road(_written(models, folder / "bundle"), {key: feeds[key] for key in models})
    except (AssertionError, VerificationError) as error:
        if len(models) < 2:
            return dict.fromkeys(models, str(error))
    keys, middle = list(models), len(models) // 2
    halves = {"a": keys[:middle], "b": keys[middle:]}
    found = (results({key: models[key] for key in half}, feeds, road, folder / name) for name, half in halves.items())
    return {key: result for half in found for key, result in half.items()}


def _written(models: Mapping[str, Model], folder: Path) -> Path:
    if not folder.is_dir():  # another road was here
        folder.mkdir(parents=True)
        savedmodel.write([savedmodel.MetaGraph(("serve",), link(models))], folder)
    return folder
