"""Fused ops, which are always split into op, bias and activation.

Graphs that were written before TensorFlow 2.13 or so lack the attribute `TArgs` of the fused op, and are not imported.
The fused kernels lack several activations, XLA, TFLite and gradients. The split graph is as fast: TensorFlow's remapper
fuses it again when it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator

from bundler import ops
from bundler.errors import ConversionError
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Value, attr, new_node
from bundler.rewrites.engine import rule

__all__ = ["split_fused"]

_BASES = {
    "_FusedConv2D": "Conv2D",
    "_FusedMatMul": "MatMul",
    "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative",
}
_MOST = 2
"""Ops that TensorFlow.js reads: a bias, or NoOp, and an activation."""
_ACTIVATIONS = ("Relu", "Relu6", "Elu", "Sigmoid", "Tanh", "LeakyRelu", "Prelu")


@rule(*_BASES)
def split_fused(fused: Node, _graph: Graph) -> list[Node]:
    """Write a fused op as the ops it was fused from.

    Before:
        y = _FusedConv2D(x, w, b, fused_ops=[BiasAdd, Relu6])
    After:
        y/Conv2D = Conv2D(x, w)
        y/BiasAdd = BiasAdd(y/Conv2D, b)
        y = Relu6(y/BiasAdd)

    Before:
        y = _FusedMatMul(a, b, alpha, fused_ops=[NoOp, Prelu])
    After:
        y/MatMul = MatMul(a, b)
        y = Prelu(y/MatMul, alpha)
    """
    steps = list(_steps(fused))
    names = [f"{fused.name}/{op}" for op, _, _ in steps[:-1]] + [fused.name]
    dtype, waits = attr(fused, "T"), [reference for reference in fused.input if reference.startswith("^")]
    made: list[Node] = []
    for name, (op, inputs, attrs) in zip(names, steps):
        data = [made[-1].name, *inputs] if made else [*inputs, *waits]
        made.append(new_node(op, name, data, T=dtype, **attrs))
    return made


def _steps(fused: Node) -> Iterator[tuple[str, list[str], dict[str, Value]]]:
    """Op, further inputs and attributes of each node in the chain."""
    base = _BASES[fused.op]
    first, second, *rest = (reference for reference in fused.input if not reference.startswith("^"))
    yield base, [first, second], _carried(fused, base)
    names = attr(fused, "fused_ops", ())
    if len(names) > _MOST:
        raise ConversionError(f"{fused.op} with too many ops fused into it", found=str(len(names)), expected=str(_MOST))
    for name in names:
        if name in ("BiasAdd", "Prelu") and not rest:
            raise ConversionError(f"{fused.op} has no input for its {name}")
        if name == "BiasAdd":
            bias, *rest = rest
            yield "BiasAdd", [bias], {"data_format": attr(fused, "data_format", "NHWC")}
        elif name == "Prelu":
            alpha, *rest = rest
            yield "Prelu", [alpha], {}
        elif name == "LeakyRelu":
            yield "LeakyRelu", [], {"alpha": attr(fused, "leakyrelu_alpha", 0.2)}
        elif name in _ACTIVATIONS:
            yield name, [], {}
        elif name != "NoOp":
            raise ConversionError(f"{fused.op} with {name!r} fused into it", expected=", ".join(_ACTIVATIONS))


def _carried(fused: Node, base: str) -> dict[str, Value]:
    """The attributes that the base op shares with the fused one."""
    known = ops.table()[base].attrs
    return {key: value for key, value in fused.attr.items() if key in known and key != "T"}
