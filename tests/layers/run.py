"""The models of the suite as bundler builds them, and what their bundle gives on every road."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
from bundler.runtimes.failures import Died, Refused
from bundler.runtimes.tensorflow import Runtime
from tests.support.answers import NO_ONEDNN, ONEDNN
from tests.support.asking import ask
from tests.support.models import read_model
from tests.support.places import ROOT

__all__ = ["ROADS", "Result", "Results", "Roads", "built", "results", "roads"]

ROADS = ("session", "session, no oneDNN", "saved_model.load", "saved_model.load, no oneDNN")

Tensors: TypeAlias = Mapping[str, np.ndarray]
Result: TypeAlias = "Tensors | str"
"""The outputs by name, or the words of a refusal."""
Results: TypeAlias = Mapping[str, Result]
Road: TypeAlias = Callable[[Path, Mapping[str, Tensors]], Results]
"""What the signatures of a bundle give for inputs by key and name. Died if TensorFlow does, or refuses the bundle."""
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
    with Runtime(environment=ONEDNN) as onednn, Runtime(environment=NO_ONEDNN) as plain:
        ways = (partial(_session, onednn), partial(_session, plain), partial(_load, ONEDNN), partial(_load, NO_ONEDNN))
        yield dict(zip(ROADS, ways))


def _session(running: Runtime, bundle: Path, feeds: Mapping[str, Tensors]) -> dict[str, Result]:
    return {key: _asked(running, bundle, key, given) for key, given in feeds.items()}


def _asked(running: Runtime, bundle: Path, key: str, given: Tensors) -> Result:
    try:
        return ask(running, bundle, key, **given)
    except Refused as refusal:
        return str(refusal)


def _load(environment: Mapping[str, str], bundle: Path, feeds: Mapping[str, Tensors]) -> dict[str, Result]:
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", **environment}
    command = [sys.executable, "-m", "tests.layers.load", str(bundle)]
    program = subprocess.run(
        command, cwd=ROOT, input=pickle.dumps(feeds), env={**os.environ, **quiet}, capture_output=True, check=False
    )
    if program.returncode:
        raise Died(f"TensorFlow ended with {program.returncode}: {program.stderr.decode()[-2000:]}")
    found: dict[str, Result] = pickle.loads(program.stdout)
    return found


# Bundles -----------------------------------------------------------------------------------------


def results(models: Mapping[str, Model], feeds: Mapping[str, Tensors], road: Road, folder: Path) -> Results:
    """What one bundle of all models gives; if TensorFlow dies, halves of it, down to the model that it dies of."""
    try:
        return road(_written(models, folder / "bundle"), {key: feeds[key] for key in models})
    except Died as death:
        if len(models) < 2:
            return dict.fromkeys(models, str(death))
    keys, middle = list(models), len(models) // 2
    halves = {"a": keys[:middle], "b": keys[middle:]}
    found = (results({key: models[key] for key in half}, feeds, road, folder / name) for name, half in halves.items())
    return {key: result for half in found for key, result in half.items()}


def _written(models: Mapping[str, Model], folder: Path) -> Path:
    if not folder.is_dir():  # another road was here
        folder.mkdir(parents=True)
        savedmodel.write([savedmodel.MetaGraph(("serve",), link(models))], folder)
    return folder
