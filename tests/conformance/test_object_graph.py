"""Control flow, tables and graphs answer `tf.saved_model.load` as they answer a session: one bundle of all cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from bundler.ir.model import Model
from bundler.link import link
from bundler.link.infer import infer
from bundler.outputs import checkpoint, savedmodel
from bundler.outputs.metagraphs import metagraph
from bundler.outputs.objects import obstacle
from bundler.runtimes.failures import Failure
from bundler.runtimes.tensorflow import Runtime
from tests.conformance.case import Case
from tests.conformance.run import Result, imported
from tests.conformance.table import cases
from tests.support.elsewhere import call

pytestmark = [pytest.mark.slow, pytest.mark.long]


class Asked(NamedTuple):
    """A signature, and the values of its inputs by their names."""

    key: str
    feeds: Mapping[str, np.ndarray]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, runtime: Runtime) -> dict[str, Model]:
    """What bundler makes of each case that can be imported, by its name."""
    folder = tmp_path_factory.mktemp("cases")
    made = {case.id: imported(case, folder / case.id) for case in _all()}
    sound = {key: model for key, model in made.items() if isinstance(model, Model) and not obstacle(model)}
    return {key: infer(model, runtime) for key, model in sound.items()}


def test_python_and_a_session_get_the_same(models: Mapping[str, Model], runtime: Runtime, tmp_path: Path) -> None:
    savedmodel.write([metagraph(("serve",), link(models), objects=True)], tmp_path)
    checkpoint.write_empty(tmp_path)
    asked = [each for case in _all() if case.id in models and (each := _asked(case, models[case.id]))]
    found = call(_in_python, str(tmp_path), asked, environment={})
    expected = {each.key: _in_session(each, models[each.key], tmp_path, runtime) for each in asked}
    assert len(expected) > 200
    differing = {key: (found[key], right) for key, right in expected.items() if not _agree(found[key], right)}
    assert differing == {}


def _all() -> Iterator[Case]:
    return (case for category in ("control", "dynamic", "graph", "hash_table") for case in cases()[category])


def _asked(case: Case, model: Model) -> Asked | None:
    """The question of a case; None if it leaves an input its default, which functions of Python do not have."""
    (signature,) = model.signatures.values()
    inputs = {key: spec.tensor.node for key, spec in signature.inputs.items()}
    if not case.feeds.keys() >= set(inputs.values()):
        return None
    return Asked(case.id, {key: case.feeds[node] for key, node in inputs.items()})


def _in_session(asked: Asked, model: Model, bundle: Path, runtime: Runtime) -> Result:
    signature = model.signatures[asked.key]
    feeds = {f"{asked.key}/{signature.inputs[key].tensor.full}": value for key, value in asked.feeds.items()}
    fetches = [f"{asked.key}/{signature.outputs[key].tensor.full}" for key in sorted(signature.outputs)]
    try:
        return runtime.run(bundle, ["serve"], feeds, fetches)
    except Failure as failure:
        return str(failure)


def _in_python(bundle: str, asked: list[Asked]) -> dict[str, Result]:
    import tensorflow as tf

    signatures = tf.saved_model.load(bundle).signatures

    def answer(each: Asked) -> Result:
        try:
            given = signatures[each.key](**{name: tf.constant(value) for name, value in each.feeds.items()})
            return [_array(given[name].numpy()) for name in sorted(given)]
        except tf.errors.OpError as error:
            return str(error.message)

    return {each.key: answer(each) for each in asked}


def _array(value: Any) -> np.ndarray:
    """A tensor's value; that of a scalar of text is no array."""
    return np.array(value, object) if isinstance(value, bytes) else np.asarray(value)


def _agree(found: Result, expected: Result) -> bool:
    """Whether the results are equal; random ones have the same shape. What one way refuses, the other refuses too."""
    if isinstance(found, str) or isinstance(expected, str):
        return isinstance(found, str) and isinstance(expected, str)
    return all(map(_close, found, expected))


def _close(found: np.ndarray, expected: np.ndarray) -> bool:
    if found.dtype.kind not in "fc":
        return np.array_equal(found, expected)
    return found.shape == expected.shape and np.allclose(found, expected, rtol=1e-4, atol=1e-5, equal_nan=True)
