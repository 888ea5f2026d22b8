"""Images without a batch, and batches of matrices: ranks that TensorFlow.js accepts and TensorFlow's ops refuse."""

from __future__ import annotations

from bundler.ir.dtypes import DType
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, attr
from bundler.rewrites.draft import Draft
from bundler.rewrites.engine import rule
from bundler.rewrites.rules.shape import rank

__all__ = ["batch_image", "multiply_batches"]

_IMAGE = 3
_MATRIX = 2
_TRANSPOSED = {"transpose_a": "adj_x", "transpose_b": "adj_y"}


@rule("AvgPool", "Conv2D", "DepthwiseConv2dNative", "MaxPool")
def batch_image(op: Node, graph: Graph) -> list[Node] | None:
    """Run an op on one image as one on a batch of it.

    Before:
        y = MaxPool(image, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding=SAME)
    After:
        y/first = Const()
        y/batch = ExpandDims(image, y/first)
        y/image = MaxPool(y/batch, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding=SAME)
        y = Squeeze(y/image, squeeze_dims=[0])
    """
    if rank(op.input[0], graph) != _IMAGE:
        return None
    draft, dtype = Draft(op, graph), attr(op, "T")
    image, *others = draft.inputs
    batch = draft.op("ExpandDims", "batch", image, draft.constant("first", 0), T=dtype, Tdim=DType.int32)
    made = draft.op(op.op, "image", batch, *others, **op.attr)
    return draft.end("Squeeze", made, T=dtype, squeeze_dims=[0])


@rule("MatMul")
def multiply_batches(product: Node, graph: Graph) -> list[Node] | None:
    """Multiply batches of matrices with BatchMatMulV2.

    Before:
        y = MatMul(image, m, transpose_b=1)
    After:
        y = BatchMatMulV2(image, m, adj_y=1)
    """
    ranks = [rank(reference, graph) for reference in product.input[:2]]
    if not any(known is not None and known > _MATRIX for known in ranks):
        return None
    draft = Draft(product, graph)
    attrs = {_TRANSPOSED.get(key, key): product.attr[key] for key in ("T", *_TRANSPOSED) if key in product.attr}
    return draft.end("BatchMatMulV2", *draft.inputs, **attrs)
