"""A model that gives back what it is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bundler import rewrites
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Tensor, new_node
from bundler.manifest import Compat
from bundler.outputs import savedmodel
from bundler.runtimes.tensorflow import Runtime
from tests.support.asking import ask

X = TensorSpec(Tensor("x"), DType.float32, (None,))
Y = TensorSpec(Tensor("y"), DType.float32, (None,))
NODES = (new_node("Placeholder", "x", dtype=DType.float32), new_node("Neg", "y", ["x"], T=DType.float32))


def test_an_output_that_is_an_input_is_answered(runtime: Runtime, tmp_path: Path) -> None:
    model = Model(Graph(NODES), {"run": Signature({"x": X}, {"same": X, "negative": Y})})
    savedmodel.write([savedmodel.MetaGraph(("serve",), rewrites.run(model, Compat.NONE))], tmp_path)
    found = ask(runtime, tmp_path, "run", x=np.array([1, 2], np.float32))
    assert {name: value.tolist() for name, value in found.items()} == {"same": [1, 2], "negative": [-1, -2]}


def test_models_without_such_an_output_stay_as_they_are() -> None:
    model = Model(Graph(NODES), {"run": Signature({"x": X}, {"negative": Y})})
    assert rewrites.run(model, Compat.NONE) == model
