"""Models of all kinds can be called by composed signatures: with hash tables, loops of both versions, functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundler
from bundler import manifest
from bundler.bundle import Bundle
from bundler.runtimes.tensorflow import Runtime
from tests.conformance.case import Case
from tests.conformance.table import cases
from tests.support.answers import ONEDNN, answers
from tests.support.models import write_model
from tests.tfjs.test_initializer import ASKED, new_form, old_form


def build(folder: Path, inputs: Mapping[str, str], outputs: Sequence[str], steps: Sequence[Any]) -> Path:
    """The model in `folder/js` as signature `own`, and `composed` of these steps."""
    document = {
        "bundle": {"name": "b", "weights": "variables"},  # so that there is an object graph
        "model": [{"name": "m", "source": "js", "signature": [{"key": "own"}]}],
        "signature": [{"key": "composed", "inputs": dict(inputs), "outputs": list(outputs), "steps": list(steps)}],
    }
    bundler.build(manifest.of(document, folder / "manifest.toml"), output=folder / "out")
    return folder / "out"


@pytest.mark.parametrize("form", [old_form, new_form])
def test_the_tables_of_a_model_are_filled_once_and_found(form: Any, tmp_path: Path, runtime: Runtime) -> None:
    form(tmp_path / "js")
    folder = build(tmp_path, {"word": "string[?]"}, ["number", "bucket"], [{"call": "own"}])
    found = Bundle.open(folder).endpoint("composed").call(runtime, {"word": ASKED})
    assert found["number"].tolist() == answers(folder, {"own": {"word": ASKED}}, ONEDNN)["own"]["number"].tolist()
    assert answers(folder, {"composed": {"word": ASKED}}, ONEDNN)["composed"]["number"].tolist() == [2, -1]


LOOPS = [
    case
    for category in ("control",)
    for case in cases()[category]
    if case.op in ("Enter", "Switch", "StatelessWhile", "While", "StatelessIf")
    if not case.refused and not case.weights
]


@pytest.mark.parametrize("case", LOOPS, ids=lambda case: case.id)
def test_a_loop_or_a_function_runs_in_a_call_as_it_does_alone(case: Case, tmp_path: Path, runtime: Runtime) -> None:
    outputs = {f"y{at}": {"name": f"{name}:0"} for at, name in enumerate(case.outputs) if ":" not in name}
    write_model(
        tmp_path / "js",
        [*case.placeholders, *case.nodes],
        case.weights,
        functions=case.functions,
        signature={"outputs": outputs},
        **case.document,
    )
    types = {name: f"{value.dtype}[{', '.join(map(str, value.shape))}]" for name, value in case.feeds.items()}
    twice = [
        {"call": "own", "of": {name: name for name in types}, "as": {name: f"{name}_{at}" for name in outputs}}
        for at in (1, 2)
    ]
    folder = build(tmp_path, types, [f"{name}_{at}" for name in outputs for at in (1, 2)], twice)
    bundle = Bundle.open(folder)
    alone = bundle.endpoint("own").call(runtime, case.feeds)
    found = bundle.endpoint("composed").call(runtime, case.feeds)
    in_python = answers(folder, {"composed": case.feeds}, ONEDNN)["composed"]
    for name, value in alone.items():
        for answer in (found, in_python):
            assert np.array_equal(answer[f"{name}_1"], value) and np.array_equal(answer[f"{name}_2"], value)
