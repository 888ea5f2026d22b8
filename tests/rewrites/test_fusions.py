"""What TensorFlow's optimizers make of graphs that break a precondition of their patterns, with rules and without.

TensorFlow.js in Node says what is right. Each graph is imported and run on both roads into TensorFlow, with oneDNN and
without. A graph that needs a rule must be wrong without it: else the test would pass for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from bundler import rewrites
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Tensor, constant
from bundler.link import link
from bundler.manifest import Compat
from bundler.outputs import savedmodel
from bundler.rewrites import PASSES
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.conformance.case import Case, dtype_of
from tests.conformance.compare import farthest
from tests.conformance.run import Run, Runners, run
from tests.rewrites.fusions.graphs import Trap
from tests.rewrites.fusions.table import TRAPS
from tests.support.answers import NO_ONEDNN, ONEDNN, answers

TOLERANCE = 1e-5
BROKEN = [trap for trap in TRAPS if trap.found != "right"]
every = pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.id)


@pytest.fixture(scope="module")
def runs(javascript: TensorFlowJs, runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Every graph as it is, imported, and in TensorFlow.js."""
    with Runtime(environment=NO_ONEDNN) as plain:
        made = run([trap.case for trap in TRAPS], Runners(javascript, runtime, plain), tmp_path_factory.mktemp("traps"))
    return {trap.id: found for trap, found in zip(TRAPS, made)}


def _model(case: Case) -> Model:
    """The graph of a case as it is, with a signature named by its id."""
    weights = tuple(constant(name, value) for name, value in case.weights.items())
    inputs = {name: TensorSpec(Tensor(name), dtype_of(value), value.shape) for name, value in case.feeds.items()}
    outputs = {f"y{at}": TensorSpec(Tensor.parse(name)) for at, name in enumerate(case.outputs)}
    return Model(Graph((*case.placeholders, *weights, *case.nodes)), {case.id: Signature(inputs, outputs)})


def _loaded(
    models: Mapping[str, Model], cases: list[Case], folder: Path, environment: Mapping[str, str]
) -> dict[str, list[np.ndarray]]:
    """What `tf.saved_model.load` gives for one bundle of models."""
    folder.mkdir()
    savedmodel.write([savedmodel.MetaGraph(("serve",), link(models))], folder)
    found = answers(folder, {case.id: case.feeds for case in cases}, environment)
    return {key: [outputs[f"y{at}"] for at in range(len(outputs))] for key, outputs in found.items()}


@pytest.fixture(scope="module", params=[ONEDNN, NO_ONEDNN], ids=["oneDNN", "no oneDNN"])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[np.ndarray]]:
    cases = [trap.case for trap in TRAPS]
    models = {case.id: rewrites.run(_model(case), Compat.NONE) for case in cases}
    return _loaded(models, cases, tmp_path_factory.mktemp("loaded") / "bundle", request.param)


@pytest.fixture(scope="module")
def unmended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[np.ndarray]]:
    """The graphs that give wrong numbers, loaded as they are, with oneDNN."""
    cases = [trap.case for trap in BROKEN if trap.found == "wrong"]
    models = {case.id: _model(case) for case in cases}
    return _loaded(models, cases, tmp_path_factory.mktemp("unmended") / "bundle", ONEDNN)


@every
def test_a_session_gives_the_numbers_of_tensorflow_js(trap: Trap, runs: Mapping[str, Run]) -> None:
    found = runs[trap.id]
    assert not isinstance(found.javascript, str), found.javascript
    for name, result in zip(("oneDNN", "no oneDNN"), found.bundled):
        assert not isinstance(result, str), f"{name}: {result}"
        assert farthest(result, found.javascript, narrow=True) <= TOLERANCE, name


@every
def test_a_loaded_bundle_gives_the_numbers_of_tensorflow_js(
    trap: Trap, runs: Mapping[str, Run], loaded: Mapping[str, list[np.ndarray]]
) -> None:
    assert farthest(loaded[trap.case.id], runs[trap.id].javascript, narrow=True) <= TOLERANCE  # type: ignore[arg-type]


@pytest.mark.parametrize("trap", BROKEN, ids=lambda trap: trap.id)
def test_without_its_rule_a_graph_is_broken(
    trap: Trap, runs: Mapping[str, Run], unmended: Mapping[str, list[np.ndarray]], tmp_path: Path
) -> None:
    found = _what_was_found(trap, runs[trap.id], unmended, tmp_path)
    if found == "right":
        pytest.skip("this machine, or this TensorFlow, cannot show it")
    assert (found == "wrong") == (trap.found == "wrong")  # versions differ in whether they refuse a graph or die of it


def _what_was_found(trap: Trap, run: Run, unmended: Mapping[str, list[np.ndarray]], folder: Path) -> str:
    if trap.found == "wrong":
        error = farthest(unmended[trap.case.id], run.javascript, narrow=True)  # type: ignore[arg-type]
        return "wrong" if error > TOLERANCE else "right"
    if isinstance(run.right, str):
        return "dies" if "died" in run.right else "refused"
    try:
        _loaded({trap.case.id: _model(trap.case)}, [trap.case], folder / "bundle", ONEDNN)
    except AssertionError:
        return "refused"
    return "right"


@every
def test_the_rule_that_is_named_changes_the_graph(trap: Trap) -> None:
    """And no rule changes a graph that is fused rightly."""
    passes: dict[str, Callable[[Model], Model]] = {each.__name__: each for each in PASSES[Compat.NONE]}
    model = _model(trap.case)
    changed = [name for name, change in passes.items() if name in RULES and change(model) is not model]
    assert changed == [trap.rule][: bool(trap.rule)]


RULES = {trap.rule for trap in TRAPS}
