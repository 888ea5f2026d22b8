"""Real models give the browser's numbers: every output of every signature, against TensorFlow.js in Node.

All models of a manifest sit in one bundle. They are asked on both roads into TensorFlow, the session that TensorFlow
Serving uses and `tf.saved_model.load`, each with oneDNN and without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bundler import manifest, sources
from bundler.ir.model import Signature, TensorSpec
from bundler.manifest import Manifest, ModelSpec
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.support.answers import NO_ONEDNN, ONEDNN, Tensors, answers
from tests.support.asking import ask, error, signatures
from tests.support.zoo import feeds

NAMES = [
    "tiny",
    pytest.param("posenet", marks=pytest.mark.network),
    pytest.param("human", marks=pytest.mark.network),
    pytest.param("zoo", marks=[pytest.mark.network, pytest.mark.slow]),
]
TOLERANCE = 1e-4
"""Of the largest absolute value, for floats; everything else must be equal."""
ZOO_TOLERANCE = 1e-3
TYPICAL = 1e-5

TOLERANCES = {"models.rvm": 3e-3, **{f"models.blazepose-{size}": 3e-3 for size in ("lite", "full", "heavy")}}
"""Models whose own noise is larger: a different order of additions moves them as much."""

Roads = Mapping[str, Callable[[Path, Mapping[str, Tensors]], Mapping[str, Tensors]]]


@pytest.fixture(scope="module")
def without_onednn() -> Iterator[Runtime]:
    with Runtime(environment=NO_ONEDNN) as running:
        yield running


@pytest.fixture(scope="module")
def roads(runtime: Runtime, without_onednn: Runtime) -> Roads:
    def session(running: Runtime) -> Callable[[Path, Mapping[str, Tensors]], Mapping[str, Tensors]]:
        return lambda bundle, feeds: {key: ask(running, bundle, key, **inputs) for key, inputs in feeds.items()}

    return {
        "session": session(runtime),
        "session, no oneDNN": session(without_onednn),
        "saved_model.load": lambda bundle, feeds: answers(bundle, feeds, ONEDNN),
        "saved_model.load, no oneDNN": lambda bundle, feeds: answers(bundle, feeds, NO_ONEDNN),
    }


@pytest.fixture(scope="module")
def expected(
    built: Callable[[str], Path], manifest_of: Callable[[str], Path], javascript: TensorFlowJs
) -> Callable[[str], Mapping[str, Tensors]]:
    """What TensorFlow.js answers to `feeds`, by signature and name; each model runs once."""

    @cache
    def run(name: str) -> dict[str, Tensors]:
        spec, bundle = manifest.read(manifest_of(name)), signatures(built(name))
        return {
            key: outputs for model in spec.models for key, outputs in _in_javascript(javascript, spec, model, bundle)
        }

    return run


def _in_javascript(
    javascript: TensorFlowJs, spec: Manifest, model: ModelSpec, bundle: Mapping[str, Signature]
) -> Iterator[tuple[str, Tensors]]:
    artifact = sources.fetch(model.source, spec.folder)
    own = {signature.key: bundle[signature.key] for signature in spec.signatures(model)}
    given = {
        _unscoped(signature.inputs[name]): value
        for key, signature in own.items()
        for name, value in feeds(key, signature).items()
    }
    outputs = sorted({_unscoped(entry) for signature in own.values() for entry in signature.outputs.values()})
    found = javascript.run(artifact.path(artifact.entry), given, outputs)
    for key, signature in own.items():
        yield key, {name: found[_unscoped(entry)] for name, entry in signature.outputs.items()}


def _unscoped(spec: TensorSpec) -> str:
    """A tensor's name in its own model: the bundle put the model's name before it."""
    return spec.tensor.full.partition("/")[2]


@pytest.mark.parametrize("road", ["session", "session, no oneDNN", "saved_model.load", "saved_model.load, no oneDNN"])
@pytest.mark.parametrize("name", NAMES)
def test_every_output_is_the_browsers(
    name: str,
    road: str,
    roads: Roads,
    built: Callable[[str], Path],
    expected: Callable[[str], Mapping[str, Tensors]],
) -> None:
    bundle = built(name)
    given = {key: feeds(key, signature) for key, signature in signatures(bundle).items()}
    found = roads[road](bundle, given)
    errors = {
        (key, output): error(found[key][output], value)
        for key, outputs in expected(name).items()
        for output, value in outputs.items()
    }
    general = ZOO_TOLERANCE if name == "zoo" else TOLERANCE
    wrong = {place: error for place, error in errors.items() if not error <= TOLERANCES.get(place[0], general)}
    assert wrong == {}
    assert np.median([*errors.values()]) < TYPICAL
