"""What training leaves in a graph, and TensorFlow.js ignores."""

from __future__ import annotations

from bundler.ir.dtypes import DType
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, attr, new_node
from bundler.rewrites.engine import Declined, rule

__all__ = ["keep_full_precision", "normalize_by_given_statistics"]


@rule(
    *("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"),
    note="normalized by the model's own statistics and not the batch's, as in TensorFlow.js",
)
def normalize_by_given_statistics(norm: Node, graph: Graph) -> list[Node] | Declined | None:
    """Normalize by the mean and variance that the model holds, not by those of the batch.

    TensorFlow.js ignores `is_training` (tfjs-converter/src/operations/executors/normalization_executor.ts). A model
    that holds no statistics has a mean of no elements: TensorFlow computes those of the batch.

    Before:
        y = FusedBatchNormV3(x, scale, offset, mean, variance, is_training=True)
    After:
        y = FusedBatchNormV3(x, scale, offset, mean, variance, is_training=False)
    """
    if not attr(norm, "is_training", True):
        return None
    if graph.constant_shape(norm.input[3]) == (0,):
        return Declined("normalized by the batch's statistics, because the model holds none")
    return [norm.having(is_training=False)]


@rule("FakeQuantWithMinMaxVars", note="values are not rounded to steps, as in TensorFlow.js")
def keep_full_precision(quantize: Node, _graph: Graph) -> list[Node]:
    """Leave out the rounding by which a network was trained for quantization, as TensorFlow.js does.

    Before:
        y = FakeQuantWithMinMaxVars(x, min, max, num_bits=8)
    After:
        y = Identity(x)
    """
    x, _min, _max, *control = quantize.input
    return [new_node("Identity", quantize.name, [x, *control], T=DType.float32)]
