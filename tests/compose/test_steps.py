"""Each step gives what TensorFlow.js' function of its name gives.

All cases are signatures of one bundle, twice: with the sizes of their values, and with unknown ones. It runs with
oneDNN and without: in a session all of them at once, by `tf.saved_model.load` one by one. The reference is
TensorFlow.js' plain backend, and its WASM backend.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest

import bundler
from bundler import manifest
from bundler.bundle import Bundle
from bundler.ir.nodes import Shape
from bundler.manifest.steps import OPS
from bundler.report import Report
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.compose.cases import CASES, FAMILIES, Case
from tests.compose.small import write
from tests.support.answers import NO_ONEDNN, ONEDNN, Tensors, answers

KEYS = [(name, way) for name in CASES for way in ("known", "unknown")]
ALONE = ("decode_image", "parse_example")
"""Steps that have tests of their own."""


def typed(value: np.ndarray, is_open: bool) -> str:
    sizes = ", ".join("?" if is_open else str(size) for size in value.shape)
    return f"{value.dtype}[{sizes}]"


def inputs(case: Case) -> dict[str, np.ndarray]:
    return dict(zip("abcdef", case.values)) | ({} if case.like is None else {"like": case.like})


def table(case: Case, way: str) -> dict[str, Any]:
    """A case as a signature."""
    values = dict(zip("abcdef", case.values))
    types = {
        name: typed(value, way == "unknown" and at not in case.closed)
        for at, (name, value) in enumerate(values.items())
    }
    step = {**case.step, "of": list(values), "as": list(case.names)}
    if case.like is not None:
        step["like"], types["like"] = "like", typed(case.like, way == "unknown")
    return {"key": f"{case.name} {way}", "inputs": types, "outputs": list(case.names), "steps": [step]}


class Built(NamedTuple):
    bundle: Bundle
    report: Report


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("steps")
    path = write(folder, "")
    document = {
        "bundle": {"name": "steps"},
        "model": [{"name": "emotion", "source": "emotion"}],
        "signature": [table(CASES[name], way) for name, way in KEYS],
    }
    report = bundler.build(manifest.of(document, path), output=folder / "out")
    return Built(Bundle.open(folder / "out"), report)


@pytest.fixture(scope="module")
def found(built: Built, runtime: Runtime) -> list[dict[str, np.ndarray]]:
    """What all signatures give, by tensor: in one run with oneDNN, and in one without."""
    with Runtime(environment=NO_ONEDNN) as plain:
        return [all_at_once(built.bundle, each) for each in (runtime, plain)]


def all_at_once(bundle: Bundle, runtime: Runtime) -> dict[str, np.ndarray]:
    """All outputs by tensor. A run for each signature would make TensorFlow optimize the large graph as often."""
    signatures = {key: bundle.endpoint(key).signature for key in map(" ".join, KEYS)}
    feeds = {
        signatures[f"{name} {way}"].inputs[entry].tensor.full: value
        for name, way in KEYS
        for entry, value in inputs(CASES[name]).items()
    }
    fetches = [spec.tensor.full for signature in signatures.values() for spec in signature.outputs.values()]
    return dict(zip(fetches, runtime.run(bundle.folder, ["serve"], feeds, fetches)))


@pytest.mark.parametrize(("name", "way"), KEYS)
def test_a_step_gives_what_tensorflowjs_gives(
    name: str, way: str, built: Built, found: list[dict[str, np.ndarray]], javascript: TensorFlowJs
) -> None:
    case, key = CASES[name], f"{name} {way}"
    signature, report = built.bundle.endpoint(key).signature, built.report.signatures[key]
    for output, right in zip(case.names, in_javascript(case, javascript)):
        check_shape(report.outputs[output].shape, right.shape, is_known=way == "known" and case.step.get("pad", True))
        for values in found:
            check(values[signature.outputs[output].tensor.full], right, case.tolerance)


@pytest.fixture(scope="module", params=[ONEDNN, NO_ONEDNN], ids=["oneDNN", "no oneDNN"])
def called(built: Built, request: pytest.FixtureRequest) -> Mapping[str, Tensors]:
    """What each signature gives in a Python program."""
    feeds = {" ".join(key): inputs(CASES[key[0]]) for key in KEYS}
    return answers(built.bundle.folder, feeds, request.param)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "way"), KEYS)
def test_a_step_gives_the_same_in_a_python_program(
    name: str, way: str, called: Mapping[str, Tensors], javascript: TensorFlowJs
) -> None:
    case = CASES[name]
    for output, right in zip(case.names, in_javascript(case, javascript)):
        check(called[f"{name} {way}"][output], right, case.tolerance)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.step.get("fill_mode") != "reflect"])
def test_a_step_gives_what_the_wasm_backend_gives(
    name: str, built: Built, found: list[dict[str, np.ndarray]], wasm: TensorFlowJs
) -> None:
    """It reflects images in `transform` otherwise than the plain backend, whose images are TensorFlow's."""
    case, signature = CASES[name], built.bundle.endpoint(f"{name} known").signature
    for output, right in zip(case.names, in_javascript(case, wasm)):
        for values in found:
            tolerance = 0 if samples_with_floats(case.step) else case.tolerance
            check(values[signature.outputs[output].tensor.full], right, tolerance)


def samples_with_floats(step: Mapping[str, Any]) -> bool:
    """Whether the WASM backend computes places as TensorFlow does."""
    samples = step["op"] in ("crop_and_resize", "letterbox", "resize_bilinear", "resize_nearest_neighbor")
    return samples and step.get("rounding") != "none" and not step.get("half_pixel_centers")


def in_javascript(case: Case, javascript: TensorFlowJs) -> list[np.ndarray]:
    fields = {**case.step, **({} if case.like is None else {"like": "like"})}
    step = OPS[case.step["op"]].model_validate(fields).model_dump(mode="json", by_alias=True)
    return javascript.step(step, case.values, case.like)


def check_shape(reported: Shape | None, real: tuple[int, ...], is_known: bool) -> None:
    assert reported is not None and len(reported) == len(real)
    assert all(size == actual or (size is None and not is_known) for size, actual in zip(reported, real))


def check(value: np.ndarray, right: np.ndarray, tolerance: float) -> None:
    assert value.shape == right.shape
    if value.dtype.kind in "Ob":
        assert value.tolist() == right.tolist()
    else:
        largest = np.abs(right[np.isfinite(right)]).max(initial=0) or 1
        np.testing.assert_allclose(value, right, rtol=0, atol=tolerance * largest)


def test_every_step_has_a_case() -> None:
    assert sorted(OPS.keys() - {case.step["op"] for case in CASES.values()}) == sorted(ALONE)


def test_no_two_cases_have_one_name() -> None:
    assert len(CASES) == sum(1 for family in FAMILIES for _ in family())
