"""What the rewrites made of a model, as a user reads it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bundler.ir.dtypes import DType
from bundler.ir.model import Change
from bundler.ir.nodes import Node, new_node
from bundler.ir.prune import prune
from bundler.manifest import Compat
from bundler.rewrites import run
from tests.support.models import placeholder, read_model, write_model

X = placeholder("x", 1, 4, 4, 3)
WEIGHTS = {"alpha": np.full(3, 0.5, np.float32), "w": np.ones((1, 1, 3, 3), np.float32), "b": np.ones(3, np.float32)}


def conv(name: str, *inputs: str, fused: Sequence[str]) -> Node:
    return new_node(
        "_FusedConv2D",
        name,
        inputs,
        T=DType.float32,
        fused_ops=list(fused),
        num_args=1,
        padding="SAME",
        strides=[1, 1, 1, 1],
    )


RELU = new_node("Relu", "y", ["x"], T=DType.float32)
PRELU = new_node("Prelu", "y", ["x", "alpha"], T=DType.float32)
FUSED = conv("c", "x", "w", "b", fused=["BiasAdd"])
FUSED_TWICE = conv("d", "c", "w", "b", fused=["BiasAdd"])
ILLEGAL = new_node("Prelu", "très", ["x", "alpha"], T=DType.float32)


@pytest.mark.parametrize(
    ("nodes", "changes"),
    [
        ([RELU], []),
        ([PRELU], [Change("Prelu", 1, ("Relu", "Neg", "Mul", "AddV2"))]),
        ([FUSED, FUSED_TWICE], [Change("_FusedConv2D", 2, ("Conv2D", "BiasAdd"))]),
        (
            [FUSED, PRELU],
            [Change("Prelu", 1, ("Relu", "Neg", "Mul", "AddV2")), Change("_FusedConv2D", 1, ("Conv2D", "BiasAdd"))],
        ),
        ([ILLEGAL, RELU], [Change("Prelu", 1, ("Relu", "Neg", "Mul", "AddV2"))]),
    ],
    ids=["nothing", "one op into many", "one kind twice", "two ops", "a node that is renamed too"],
)
def test_changes_name_ops_and_what_became_of_them(nodes: list[Node], changes: list[Change], tmp_path: Path) -> None:
    model = prune(read_model(write_model(tmp_path, [X, *nodes], WEIGHTS)))
    assert list(run(model, Compat.NONE).changes) == changes


def test_a_graph_of_many_rewritten_nodes_takes_a_time_in_proportion(tmp_path: Path) -> None:
    many = [conv(f"c{i}", f"c{i - 1}" if i else "x", "w", "b", fused=["BiasAdd"]) for i in range(2000)]
    model = prune(read_model(write_model(tmp_path, [X, *many], WEIGHTS)))
    assert run(model, Compat.NONE).changes == (Change("_FusedConv2D", 2000, ("Conv2D", "BiasAdd")),)
