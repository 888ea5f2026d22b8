"""JavaScript wrappers around models are written as steps, and give what the wrappers give.

A file in `wrappers` has the steps, and the types of the models that the wrapper calls; small models of these types take
their places. The wrapper itself is transcribed beside it, as calls of TensorFlow.js. All are signatures of one bundle,
which runs once for each picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import bundler
from bundler import manifest
from bundler.bundle import Bundle
from bundler.runtimes.tensorflow import Runtime
from tests.compose import wrapped
from tests.compose.wrapped import SHAPES, WRAPPERS, Wrapper

Tensors = Mapping[str, np.ndarray]
Answers = Mapping[tuple[str, str], Tensors]
WRITTEN = {name: wrapper for name, wrapper in WRAPPERS.items() if wrapper.signatures}
ASKED = [(name, size) for name in WRITTEN for size in SHAPES]


class Answered(NamedTuple):
    bundle: Answers
    javascript: Answers


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory, runtime: Runtime, tensorflowjs_modules: Path) -> Answered:
    folder = tmp_path_factory.mktemp("wrappers")
    wrapped.write_models(folder, WRITTEN)
    bundler.build(manifest.of(wrapped.document(WRITTEN), folder / "wrappers.toml"), output=folder / "out", jobs=1)
    bundle = Bundle.open(folder / "out")
    found = {size: all_at_once(bundle, runtime, size) for size in SHAPES}
    answers = {(name, size): found[size][name] for name, size in ASKED}
    return Answered(answers, wrapped.javascript_answers(folder, tensorflowjs_modules, WRITTEN))


def all_at_once(bundle: Bundle, runtime: Runtime, size: str) -> Mapping[str, Tensors]:
    """What each gives, in one run: TensorFlow optimizes the graph once."""
    signatures = {name: bundle.endpoint(wrapper.key).signature for name, wrapper in WRITTEN.items()}
    feeds = {
        signatures[name].inputs[entry].tensor.full: value
        for name, wrapper in WRITTEN.items()
        for entry, value in wrapped.feeds(wrapper, size).items()
    }
    fetches = [spec.tensor.full for signature in signatures.values() for spec in signature.outputs.values()]
    values = dict(zip(fetches, runtime.run(bundle.folder, ["serve"], feeds, fetches)))
    return {
        name: {key: values[spec.tensor.full] for key, spec in signature.outputs.items()}
        for name, signature in signatures.items()
    }


@pytest.mark.parametrize(("name", "size"), ASKED)
def test_the_steps_give_what_the_wrapper_gives(name: str, size: str, answered: Answered) -> None:
    found, right = answered.bundle[name, size], answered.javascript[name, size]
    assert found.keys() == right.keys()
    for output, value in right.items():
        check(WRITTEN[name], output, found[output], value)


def check(wrapper: Wrapper, output: str, found: np.ndarray, right: np.ndarray) -> None:
    assert found.shape == right.shape, output
    if right.dtype == object:
        assert [text.decode() for text in found.ravel().tolist()] == right.ravel().tolist(), output
    else:
        scale = np.abs(right).max(initial=0) or 1
        is_far = np.abs(found.astype(np.float64) - right) > wrapper.tolerance * scale
        assert is_far.mean() <= wrapper.stray, f"{output}: found {found[is_far][:9]}, expected {right[is_far][:9]}"


def test_two_thirds_of_sixty_wrappers_are_steps_as_a_whole() -> None:
    fits = [wrapper.about["fit"] for wrapper in WRAPPERS.values()]
    assert len(fits) == 60 and fits.count("whole") >= 41


def test_what_is_not_whole_says_what_is_left_out() -> None:
    for wrapper in WRAPPERS.values():
        assert (wrapper.about["fit"] != "whole") == ("left_out" in wrapper.about), wrapper.name
        assert (wrapper.about["fit"] == "no") == (not wrapper.signatures), wrapper.name
