from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundler.disk.shards import File, Group, Memory
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Tensor, new_node
from bundler.ir.weight import Weight
from bundler.link.infer import infer
from bundler.runtimes.tensorflow import Runtime
from tests.support.models import placeholder

FLOAT, INT = DType.float32, DType.int32


def on_disk(*shape: int) -> Weight:
    """A weight whose file does not exist."""
    size = 4 * int(np.prod(shape))
    return Weight(FLOAT, shape, Group((File(Path("absent"), size),)), 0, size, FLOAT)


K = np.array(2, np.int32).tobytes()
GRAPH = Graph(
    nodes=(
        placeholder("x", None, 100),
        new_node("Const", "w", dtype=FLOAT),
        new_node("Const", "k", dtype=INT),
        new_node("MatMul", "y", ["x", "w"], T=FLOAT),
        new_node("TopKV2", "top", ["y", "k"], T=FLOAT),
        new_node("Placeholder", "any", dtype=FLOAT),
        new_node("Relu", "whatever", ["any"], T=FLOAT),
    ),
    weights={"w": on_disk(100, 7), "k": Weight(INT, (), Group((Memory(K),)), 0, 4, INT)},
)


def model(**outputs: TensorSpec) -> Model:
    return Model(GRAPH, {"s": Signature({"x": TensorSpec(Tensor("x"), FLOAT)}, outputs)}, producer=1395)


@pytest.mark.parametrize(
    ("spec", "dtype", "shape"),
    [
        (TensorSpec(Tensor("y")), FLOAT, (None, 7)),
        (TensorSpec(Tensor("top", 1)), INT, (None, 2)),
        (TensorSpec(Tensor("y"), None, (5, 7)), FLOAT, (5, 7)),
        (TensorSpec(Tensor("y"), INT, None), INT, (None, 7)),
        (TensorSpec(Tensor("whatever")), FLOAT, None),
        (TensorSpec(Tensor("k")), INT, ()),
    ],
    ids=["both", "of a port, by the value of a small weight", "dtype", "shape", "unknown rank", "scalar"],
)
def test_what_a_signature_leaves_out_is_inferred_and_the_rest_stays(
    runtime: Runtime, spec: TensorSpec, dtype: DType, shape: Any
) -> None:
    found = infer(model(out=spec), runtime).signatures["s"]
    assert found.outputs["out"] == TensorSpec(spec.tensor, dtype, shape)
    assert found.inputs["x"] == TensorSpec(Tensor("x"), FLOAT, (None, 100))


def test_tensorflow_is_not_asked_if_a_signature_says_all() -> None:
    runtime = Runtime()  # not started
    given = model(out=TensorSpec(Tensor("y"), FLOAT, (None, 7)))
    given = given.map_signatures(lambda spec: TensorSpec(spec.tensor, FLOAT, ()))
    assert infer(given, runtime) is given
    assert not runtime.is_started
