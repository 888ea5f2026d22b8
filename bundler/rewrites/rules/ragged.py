"""Rows of unequal length: ranks that TensorFlow's kernels take on trust."""

from __future__ import annotations

from bundler.ir.model import Graph
from bundler.ir.nodes import Node, attr, shape_proto
from bundler.rewrites.draft import Draft
from bundler.rewrites.engine import rule

__all__ = ["ensure_rank_of_indices"]


@rule("RaggedGather")
def ensure_rank_of_indices(gather: Node, graph: Graph) -> list[Node]:
    """Ensure the rank of the indices of a RaggedGather.

    Its kernel writes as many splits as the indices ask for into the outputs that the node has. If these are not as
    many, the process dies (TensorFlow 2.19), also of what a caller feeds.

    Before:
        y = RaggedGather(splits, values, indices, PARAMS_RAGGED_RANK=1, OUTPUT_RAGGED_RANK=2)
    After:
        y/indices = EnsureShape(indices, shape=[?, ?])
        y = RaggedGather(splits, values, y/indices, PARAMS_RAGGED_RANK=1, OUTPUT_RAGGED_RANK=2)
    """
    draft = Draft(gather, graph)
    *params, indices = draft.inputs
    rank = attr(gather, "OUTPUT_RAGGED_RANK") - attr(gather, "PARAMS_RAGGED_RANK") + 1
    ensured = draft.op("EnsureShape", "indices", indices, T=attr(gather, "Tindices"), shape=shape_proto((None,) * rank))
    return draft.end("RaggedGather", *params, ensured, **gather.attr)
