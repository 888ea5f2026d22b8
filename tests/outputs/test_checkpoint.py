"""Checkpoints are written by TensorFlow's own ops; here TensorFlow's own reader reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundler.disk.shards import Group, Memory
from bundler.ir.dtypes import DType
from bundler.ir.protos import GraphDef
from bundler.ir.weight import Affine, Weight
from bundler.outputs import checkpoint
from bundler.runtimes.failures import Refused
from bundler.runtimes.tensorflow import Runtime

VALUES = {
    "a/matrix": np.arange(600, dtype=np.float32).reshape(2, 300),
    "b/wide": np.array([1e300, -1e-300]),
    "b/half": np.array([[0.5, 65504]], np.float16),
    "a": np.linspace(0, 1, 70, dtype=np.float32),
}
STORED = np.array([[0, 1, 255]], np.uint8)


def weight(stored: np.ndarray, affine: Affine | None = None) -> Weight:
    own = DType.parse(stored.dtype.name)
    shards = (Memory(stored.tobytes()[:2]), Memory(stored.tobytes()[2:]))
    return Weight(affine.dtype if affine else own, stored.shape, Group(shards), 0, stored.nbytes, own, affine)


WEIGHTS = {name: weight(value) for name, value in VALUES.items()}
WEIGHTS["quantized"] = weight(STORED, Affine(0.5, -1.0, DType.float32))
EXPECTED = {**VALUES, "quantized": np.array([[-1, -0.5, 126.5]], np.float32)}
SIZES = {"a/matrix": 2400, "b/wide": 16, "b/half": 4, "a": 280, "quantized": 12}


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (10_000, [["a/matrix", "b/wide", "b/half", "a", "quantized"]]),
        (2420, [["a/matrix", "b/wide", "b/half"], ["a", "quantized"]]),
        (300, [["a/matrix"], ["b/wide", "b/half", "a"], ["quantized"]]),
        (1, [["a/matrix"], ["b/wide"], ["b/half"], ["a"], ["quantized"]]),
    ],
)
def test_batches_are_filled_in_order_and_a_large_weight_has_its_own(
    monkeypatch: pytest.MonkeyPatch, size: int, expected: list[list[str]]
) -> None:
    assert {name: one.nbytes for name, one in WEIGHTS.items()} == SIZES
    monkeypatch.setattr(checkpoint, "_BATCH", size)
    assert [list(batch) for batch in checkpoint.batches(WEIGHTS)] == expected


def test_no_weights_make_no_batch() -> None:
    assert checkpoint.batches({}) == []


@pytest.mark.parametrize(("size", "files"), [(10_000, 1), (300, 3)])
def test_tensorflow_reads_the_weights_back(
    engine: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, files: int
) -> None:
    import tensorflow as tf

    monkeypatch.setattr(checkpoint, "_BATCH", size)
    checkpoint.write(WEIGHTS, tmp_path, engine, jobs=2)
    reader = tf.train.load_checkpoint(str(checkpoint.prefix(tmp_path)))
    assert reader.get_variable_to_shape_map().keys() == EXPECTED.keys()
    for name, value in EXPECTED.items():
        np.testing.assert_array_equal(reader.get_tensor(name), value, strict=True)
    data = [f"variables/variables.data-{index:05}-of-{files:05}" for index in range(files)]
    written = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")]
    assert sorted(written) == ["variables", *data, "variables/variables.index"], "nothing that led there is left"


def test_progress_is_in_bytes(tmp_path: Path, runtime: Runtime) -> None:
    calls: list[Any] = []

    class Recorded:
        def start(self, what: str, size: int | None = None, *, count: int | None = None) -> None:
            calls.append((what, size))

        def advance(self, amount: int = 1) -> None:
            calls.append(amount)

        def finish(self) -> None:
            calls.append("finished")

    checkpoint.write(WEIGHTS, tmp_path, runtime, progress=Recorded())
    (first, *amounts, last) = calls
    assert (first, sum(amounts), last) == (("write variables", 2712), 2712, "finished")


def test_a_tensor_that_a_checkpoint_lacks_is_an_error_that_names_it(tmp_path: Path, runtime: Runtime) -> None:
    checkpoint.write(WEIGHTS, tmp_path, runtime)
    given = checkpoint.text("from", checkpoint.prefix(tmp_path))
    absent = checkpoint.restore("read", "from", {"a": WEIGHTS["a"], "absent": WEIGHTS["a"]})
    with pytest.raises(Refused, match="Key absent not found in checkpoint"):
        runtime.execute(GraphDef(node=[each.message for each in (given, *absent)]).SerializeToString(), ["read"])
