"""Indices of another rank than the outputs of a RaggedGather are for: an error, where TensorFlow would die."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bundler import rewrites
from bundler.bundle import Bundle
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Tensor, constant, new_node
from bundler.manifest import Compat
from bundler.outputs import savedmodel
from bundler.outputs.savedmodel import MetaGraph
from bundler.runtimes.failures import Refused
from bundler.runtimes.tensorflow import Runtime

FLOAT, INT = DType.float32, DType.int32
INDICES: dict[int, tuple[object, list[float]]] = {0: (1, [2]), 1: ([1, 0], [2, 1]), 2: ([[1, 0]], [2, 1])}
"""Indices by their rank, and the values that they choose."""


def gather(before: int, after: int) -> Model:
    """Rows of one or two ranks, of which the caller's indices choose."""
    splits = [f"splits{number}" for number in range(before)]
    nodes = (
        new_node("Placeholder", "i", dtype=INT),
        *(constant(name, np.array([0, 1, 2], np.int32)) for name in splits),
        constant("values", np.array([1, 2], np.float32)),
        new_node(
            "RaggedGather",
            "y",
            [*splits, "values", "i"],
            Tvalues=FLOAT,
            Tindices=INT,
            Tsplits=INT,
            PARAMS_RAGGED_RANK=before,
            OUTPUT_RAGGED_RANK=after,
        ),
    )
    outputs = {"values": TensorSpec(Tensor("y", after), FLOAT)}
    return Model(Graph(nodes), {"k": Signature({"i": TensorSpec(Tensor("i"), INT)}, outputs)})


@pytest.mark.parametrize("rank", INDICES)
@pytest.mark.parametrize(("before", "after"), [(1, 0), (1, 1), (1, 2), (2, 1), (2, 2), (2, 3)])
def test_indices_have_the_rank_that_the_outputs_are_for(
    before: int, after: int, rank: int, runtime: Runtime, tmp_path: Path
) -> None:
    savedmodel.write([MetaGraph(("serve",), rewrites.run(gather(before, after), Compat.NONE))], tmp_path)
    endpoint, (indices, values) = Bundle.open(tmp_path).endpoint("k"), INDICES[rank]
    feeds = {"i": np.array(indices, np.int32)}
    if rank == after - before + 1:
        assert endpoint.call(runtime, feeds)["values"].tolist() == values
    else:
        with pytest.raises(Refused, match="is not compatible with expected shape"):
            endpoint.call(runtime, feeds)
