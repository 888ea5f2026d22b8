from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import bundler.link.infer
from bundler.encoding.graphdef import structure
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model
from bundler.ir.nodes import new_node
from bundler.link.infer import shapes
from bundler.runtimes.tensorflow import Runtime
from tests.support.models import placeholder

FLOAT = DType.float32
TENSORS = ["y:0", "any:0"]


def question(*dims: int | None) -> bytes:
    relu, free = new_node("Relu", "y", ["x"], T=FLOAT), new_node("Placeholder", "any", dtype=FLOAT)
    return structure(Model(Graph((placeholder("x", *dims), relu, free)), producer=1395))


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """Whether TensorFlow is asked, where answers are kept in a folder of the test's own."""
    monkeypatch.setenv("BUNDLER_CACHE", str(tmp_path))

    def ask(*dims: int | None, tensors: list[str] = TENSORS) -> bool:
        with Runtime() as runtime:
            found = shapes(question(*dims), tensors, runtime)
            assert found == [(FLOAT, dims), (FLOAT, None)][: len(tensors)]
            return runtime.is_started

    return ask


def test_an_answer_is_kept(asked: Callable[..., bool]) -> None:
    assert [asked(None, 3), asked(None, 3)] == [True, False]


def test_each_graph_and_list_of_tensors_has_an_answer_of_its_own(asked: Callable[..., bool]) -> None:
    assert [asked(None, 3), asked(5, 3), asked(5, 3, tensors=TENSORS[:1])] == [True, True, True]


def test_another_tensorflow_is_asked_anew(asked: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    asked(5)
    monkeypatch.setattr(bundler.link.infer, "identity", lambda: "another")
    assert [asked(5), asked(5)] == [True, False]


@pytest.mark.parametrize("content", ["", "[[1, [6]], [1, null]]\n", "{}"])
def test_a_damaged_answer_is_asked_for_again(asked: Callable[..., bool], tmp_path: Path, content: str) -> None:
    asked(5)
    (kept,) = tmp_path.glob("objects/*/shapes.json")
    assert json.loads(kept.read_text()) == [[1, [5]], [1, None]]
    kept.write_text(content)
    assert [asked(5), asked(5)] == [True, False]


def test_without_a_cache_tensorflow_is_asked_each_time(asked: Callable[..., bool], tmp_path: Path) -> None:
    (tmp_path / "objects").write_text("a file where the folder would be")
    assert [asked(5), asked(5)] == [True, True]
