"""`shapes` of a manifest: what they do to signatures, and that a batch which is built in is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler import manifest
from bundler.errors import ManifestError, Place, VerificationError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, new_node
from bundler.manifest import Manifest
from bundler.report import Report
from tests.support.models import placeholder, write_model

FLOAT, INT = DType.float32, DType.int32
WEIGHT = np.arange(6, dtype=np.float32).reshape(3, 2)


def matmul(*dims: int | None) -> list[Node]:
    return [placeholder("x", *dims), new_node("MatMul", "y", ["x", "w"], T=FLOAT)]


def reshaped(*to: int) -> tuple[list[Node], dict[str, np.ndarray]]:
    """A graph that reshapes an input of [1, 2, 3]."""
    nodes = [placeholder("x", 1, 2, 3), new_node("Reshape", "y", ["x", "to"], T=FLOAT, Tshape=INT)]
    return nodes, {"to": np.array(to, np.int32)}


def reduced(op: str, axis: int) -> tuple[list[Node], dict[str, np.ndarray]]:
    nodes = [placeholder("x", 1, 3), new_node(op, "y", ["x", "axis"], T=FLOAT, Tidx=INT, keep_dims=True)]
    return nodes, {"axis": np.array([axis], np.int32)}


INSTANCES = [
    placeholder("x", 1, 3),
    new_node("Mean", "mean", ["x", "axis"], T=FLOAT, Tidx=INT, keep_dims=True),
    new_node("Sub", "y", ["x", "mean"], T=FLOAT),
]
"""A norm over the rows: its output has as many rows as its input."""


def asked(
    tmp_path: Path, nodes: Sequence[Node], weights: Mapping[str, np.ndarray], shapes: Mapping[str, object]
) -> Manifest:
    signature = {"inputs": {"image": {"name": "x:0"}}, "outputs": {"score": {"name": "y:0"}}}
    write_model(tmp_path / "m", nodes, weights, signature=signature)
    model = {"name": "m", "source": "m", "shapes": shapes}
    return manifest.of({"bundle": {"name": "b"}, "model": [model]}, tmp_path / "manifest.toml")


def built(
    tmp_path: Path, nodes: Sequence[Node], weights: Mapping[str, np.ndarray], shapes: Mapping[str, object]
) -> Report:
    return bundler.build(asked(tmp_path, nodes, weights, shapes), output=tmp_path / "b")


def types(report: Report) -> tuple[str, ...]:
    (signature,) = report.signatures
    return tuple(tensor.type for tensor in (*signature.inputs, *signature.outputs))


@pytest.mark.parametrize(
    ("dims", "shapes", "types_of"),
    [
        ((None, 3), {"image": [4, 3]}, ("float32[4, 3]", "float32[4, 2]")),
        ((None, 3), {"x": [4, 3]}, ("float32[4, 3]", "float32[4, 2]")),
        ((None, 3), {"x:0": [-1, 3]}, ("float32[?, 3]", "float32[?, 2]")),
        ((None, None), {"image": [5, 3]}, ("float32[5, 3]", "float32[5, 2]")),
        ((), {"image": [-1, 3]}, ("float32[?, 3]", "float32[?, 2]")),
        ((1, 3), {"image": [-1, 3]}, ("float32[?, 3]", "float32[?, 2]")),
        ((1, 3), {"image": [3, 3]}, ("float32[3, 3]", "float32[3, 2]")),
    ],
)
def test_an_input_has_its_shape_and_the_outputs_follow(
    tmp_path: Path, dims: tuple[int | None, ...], shapes: Mapping[str, object], types_of: tuple[str, str]
) -> None:
    assert types(built(tmp_path, matmul(*dims), {"w": WEIGHT}, shapes)) == types_of


def test_a_batch_that_is_opened_is_tried(tmp_path: Path) -> None:
    report = built(tmp_path, matmul(1, 3), {"w": WEIGHT}, {"image": [-1, 3]})
    assert [check.name for check in report.checks] == ["load", "batches"]


def test_a_size_that_is_fixed_needs_no_try(tmp_path: Path) -> None:
    report = built(tmp_path, matmul(None, 3), {"w": WEIGHT}, {"image": [2, 3]})
    assert [check.name for check in report.checks] == ["load"]


@pytest.mark.parametrize(
    ("graph", "is_right"),
    [
        (reshaped(-1, 6), True),
        (reshaped(-1, 3), False),
        (reshaped(1, -1), False),
        (reshaped(1, 6), False),
        (reduced("Mean", 1), True),
        (reduced("Mean", 0), False),
        (reduced("Max", 0), False),
        ((INSTANCES, {"axis": np.array([0], np.int32)}), False),
    ],
)
@pytest.mark.parametrize("rows", [-1, 3])
def test_a_batch_that_is_built_in_is_an_error(
    tmp_path: Path, graph: tuple[list[Node], dict[str, np.ndarray]], is_right: bool, rows: int
) -> None:
    nodes, weights = graph
    sizes = [2, 3] if len(nodes[0].attr["shape"].shape.dim) == 3 else [3]
    if is_right:
        built(tmp_path, nodes, weights, {"image": [rows, *sizes]})
        return
    with pytest.raises((ManifestError, VerificationError)):  # with 3 rows inference may see it
        built(tmp_path, nodes, weights, {"image": [rows, *sizes]})
    assert not (tmp_path / "b").exists()


def test_the_error_of_a_batch_that_is_built_in_says_what_to_do(tmp_path: Path) -> None:
    nodes, weights = reshaped(1, -1)
    with pytest.raises(VerificationError) as caught:
        built(tmp_path, nodes, weights, {"image": [-1, 2, 3]})
    assert str(caught.value) == (
        "model 'm': signature 'serving_default': output 'score': several rows give other numbers than each alone"
        " (found [1, 12] of 2 rows)"
    )
    assert caught.value.faults[0].hint == (
        "the graph has its batch built in, as a Reshape to [1, …] has: keep its number of rows in `shapes`"
    )


def test_an_output_that_depends_on_no_row_is_no_error(tmp_path: Path) -> None:
    nodes = [
        placeholder("x", 1, 3),
        new_node("Shape", "size", ["x"], T=FLOAT),
        new_node("Identity", "y", ["w"], T=FLOAT),
    ]
    built(tmp_path, nodes, {"w": WEIGHT}, {"x": [-1, 3]})


def test_shapes_that_the_graph_cannot_have_are_an_error_of_the_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        built(tmp_path, matmul(None, None), {"w": WEIGHT}, {"image": [-1, 4]})
    (fault,) = caught.value.faults
    assert (fault.place, fault.what) == (Place(("model", 0, "shapes")), "the model cannot have these shapes")
    assert "Dimensions must be equal, but are 4 and 3" in fault.found


@pytest.mark.parametrize(
    ("shapes", "error"),
    [
        ({"imag": [1, 3]}, "shapes.imag: the model has no such input (found 'imag')"),
        ({"w": [1, 3]}, "shapes.w: the model has no such input (found 'w')"),
        ({"x:1": [1, 3]}, "shapes.\"x:1\": the model has no such input (found 'x:1')"),
        ({"image": [3]}, "shapes.image: the input has another rank (found [3], expected [-1, 3])"),
        ({"image": [1, 3], "x": [2, 3]}, "shapes.x: the input has a shape already (found 'image')"),
    ],
)
def test_what_does_not_fit_the_model_is_an_error_of_the_manifest(
    tmp_path: Path, shapes: Mapping[str, object], error: str
) -> None:
    with pytest.raises(ManifestError) as caught:
        built(tmp_path, matmul(None, 3), {"w": WEIGHT}, shapes)
    assert str(caught.value) == f"model[0].{error}"


@pytest.mark.parametrize(
    ("shapes", "error"),
    [
        ({"x": [-2]}, "model[0].shapes.x[0]: is too small (found -2, expected -1 or more)"),
        ({"x": [1 << 63]}, "model[0].shapes.x[0]: is too large (found 9223372036854775808,"),
        ({"x": [1.5]}, "model[0].shapes.x[0]: has the wrong type (found 1.5, expected an integer)"),
        ({"x": [True]}, "model[0].shapes.x[0]: has the wrong type (found true, expected an integer)"),
        ({"x": 3}, "model[0].shapes.x: has the wrong type (found 3, expected an array)"),
        ([1, 2], "model[0].shapes: has the wrong type (found an array, expected a table)"),
        ({"x": [1] * 255}, "model[0].shapes.x: is too long"),
    ],
)
def test_shapes_of_another_form_are_errors(tmp_path: Path, shapes: Mapping[str, object], error: str) -> None:
    with pytest.raises(ManifestError) as caught:
        asked(tmp_path, matmul(None, 3), {"w": WEIGHT}, shapes)
    assert error in str(caught.value)


def test_shapes_count_in_the_manifests_digest(tmp_path: Path) -> None:
    without, one, other = (
        asked(tmp_path / str(index), matmul(None, 3), {"w": WEIGHT}, shapes).digest
        for index, shapes in enumerate([{}, {"x": [1, 3]}, {"x": [2, 3]}])
    )
    assert len({without, one, other}) == 3
