"""What training leaves in a graph, and TensorFlow.js does not heed."""

from __future__ import annotations

from bundler.ir.dtypes import DType
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, attr, new_node
from bundler.rewrites.engine import rule

__all__ = ["keep_full_precision", "normalize_by_given_statistics"]


@rule(
    *("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"),
    note="normalized by the model's own statistics and not the batch's, as in TensorFlow.js",
)
def normalize_by_given_statistics(norm: Node, graph: Graph) -> list[Node] | None:
    """Normalize by the mean and variance that the model holds, not by those of the batch.

    TensorFlow.js does so whatever `is_training` says. Where the model holds none, the batch's are all there are.

    Before:
        y = FusedBatchNormV3(x, scale, offset, mean, variance, is_training=True)
    After:
        y = FusedBatchNormV3(x, scale, offset, mean, variance, is_training=False)
    """
    mean = graph.constant_shape(norm.input[3])
    if mean == (0,) or not attr(norm, "is_training", True):
        return None
    return [norm.having(is_training=False)]


@rule("FakeQuantWithMinMaxVars", note="values are not rounded to steps, as in TensorFlow.js")
def keep_full_precision(quantize: Node, _graph: Graph) -> list[Node]:
    """Do not round to the steps that training was to get used to: TensorFlow.js does not.

    Before:
        y = FakeQuantWithMinMaxVars(x, min, max, num_bits=8)
    After:
        y = Identity(x)
    """
    x, _min, _max, *control = quantize.input
    return [new_node("Identity", quantize.name, [x, *control], T=DType.float32)]
