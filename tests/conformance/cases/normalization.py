"""Cases of normalization.json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, Value, new_node
from tests.conformance.case import AGREES, Case, Const, Differs, Verdict, case
from tests.conformance.images import channels_first

__all__ = ["CASES"]

CUBE = np.sin(np.arange(27, dtype=np.float32)).reshape(1, 3, 3, 3)
IMAGE = np.sin(np.arange(36, dtype=np.float32)).reshape(2, 2, 3, 3)
SCALE, OFFSET, MEAN, VARIANCE = ([1.5, -0.5, 2.0], [0.1, 0.2, 0.3], [0.5, -0.2, 0.0], [0.9, 0.4, 1.7])
EMPTY = Const([], "float32")
FORMAT = Differs("the format is not read")
NORMS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
U = {"FusedBatchNorm": {}, "FusedBatchNormV2": {"U": DType.float32}, "FusedBatchNormV3": {"U": DType.float32}}


def batch_norm(
    op: str, name: str, javascript: Verdict = AGREES, meaning: list[Node] | None = None, **attrs: Value
) -> Case:
    """Only the first output: the others are for training, and TensorFlow.js has none."""
    weights = [Const(weight) for weight in (SCALE, OFFSET, MEAN, VARIANCE)]
    attrs = {"epsilon": 0.01, "is_training": False, **attrs}
    return case(
        op, name, IMAGE, *weights, outputs=["y"], javascript=javascript, meaning=meaning, tolerance=1e-4, **attrs
    )


def in_inference(op: str, epsilon: float) -> list[Node]:
    """The norm that TensorFlow.js computes whatever is_training says."""
    inputs = ["x", "x1", "x2", "x3", "x4"]
    return [new_node(op, "y", inputs, T=DType.float32, epsilon=epsilon, is_training=False, **U[op])]


def batch_norms() -> Iterator[Case]:
    for op in NORMS:
        yield batch_norm(op, "inference")
        yield batch_norm(op, "epsilon", epsilon=0.5)
        yield batch_norm(op, "no epsilon", epsilon=None, meaning=in_inference(op, 0.001))
        yield batch_norm(op, "training", is_training=True, meaning=in_inference(op, 0.01))
        yield batch_norm(op, "is_training left out", is_training=None, meaning=in_inference(op, 0.01))
        weights = [Const(weight) for weight in (SCALE, OFFSET, MEAN, VARIANCE)]
        how: dict[str, Any] = {"javascript": FORMAT, "is_training": False, "epsilon": 0.01}
        yield channels_first(op, "NCHW", CUBE, *weights, outputs=["y"], **how)
        yield case(
            op,
            "statistics of the batch",
            IMAGE,
            Const(SCALE),
            Const(OFFSET),
            EMPTY,
            EMPTY,
            outputs=["y"],
            tolerance=1e-4,
            is_training=True,
            epsilon=0.01,
            javascript=Differs("is_training is not read, and nothing is divided by"),
        )


def softmaxes() -> Iterator[Case]:
    for op in ("Softmax", "LogSoftmax"):
        yield case(op, "rank 2", [[1.0, 2.0, 3.0], [-1.0, 0.0, 100.0]], tolerance=1e-4)
        yield case(op, "rank 1", [0.5, -0.5, 2.0], tolerance=1e-4)
        yield case(op, "rank 4", IMAGE, tolerance=1e-4)


CASES = [
    *batch_norms(),
    *softmaxes(),
    case("EuclideanNorm", "axis 1", IMAGE, Const([1]), keep_dims=False, tolerance=1e-4),
    case("EuclideanNorm", "keep_dims", IMAGE, Const([1, 2]), keep_dims=True, tolerance=1e-4),
    case("EuclideanNorm", "axis -1", IMAGE, Const([-1]), keep_dims=False, tolerance=1e-4),
    case("LRN", "attributes", IMAGE, depth_radius=1, bias=1.5, alpha=0.5, beta=0.75, tolerance=1e-4),
    case("LRN", "wide", IMAGE, depth_radius=5, bias=1.0, alpha=1.0, beta=0.5, tolerance=1e-4),
]
