"""Cases of convolution.json: convolutions with a bias and an activation fused into them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, new_node
from tests.conformance.case import AGREES, Cannot, Case, Const, Differs, Verdict, case, one
from tests.conformance.formulas import depthwise, prelu, the_value
from tests.conformance.images import MIXED, TOLERANCE, X, first, first_attrs, plane, transposed, wave

__all__ = ["CASES"]

FLOAT = DType.float32
BASES = {"_FusedConv2D": "Conv2D", "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative"}
FILTERS = {"_FusedConv2D": Const(wave(3, 3, 2, 4) / 4), "FusedDepthwiseConv2dNative": Const(wave(3, 3, 2, 2) / 2)}
BIAS, ALPHA = Const([0.1, -0.2, 0.3, -0.4]), Const([0.5, -0.5, 2.0, 0.0])
RESIDUAL = Const(wave(2, 4, 3, 4))
FIRST: dict[str, Verdict] = {
    "_FusedConv2D": MIXED,
    "FusedDepthwiseConv2dNative": Cannot("the format is not read"),
}
NO_TANH = Cannot("Tanh is no activation it fuses")
NO_SLOPE = Differs("the slope is not read")


def fusions(op: str) -> Iterator[Case]:
    yield fused(op, "bias", ["BiasAdd"], BIAS, steps=[biased("y")])
    for name in ("Relu", "Relu6", "Elu", "Sigmoid", "Tanh"):
        javascript = NO_TANH if name == "Tanh" else AGREES
        yield fused(op, f"bias {name}", ["BiasAdd", name], BIAS, steps=activated(name), javascript=javascript)
    leaky = [biased(), new_node("LeakyRelu", "y", ["sum"], T=FLOAT, alpha=0.3)]
    slope = AGREES if op == "_FusedConv2D" else NO_SLOPE
    attrs = {"leakyrelu_alpha": 0.3, "javascript": slope}
    yield fused(op, "bias LeakyRelu", ["BiasAdd", "LeakyRelu"], BIAS, steps=leaky, **attrs)
    yield fused(op, "bias Prelu", ["BiasAdd", "Prelu"], BIAS, ALPHA, steps=[biased(), *prelu("sum", "x3")])
    yield fused(op, "Prelu", ["NoOp", "Prelu"], ALPHA, steps=prelu("conv", "x2"))
    yield fused(op, "Relu", ["NoOp", "Relu"], steps=[new_node("Relu", "y", ["conv"], T=FLOAT)])
    yield fused(op, "VALID", ["BiasAdd", "Relu6"], BIAS, steps=activated("Relu6"), padding="VALID")
    explicit = {"padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 1, 1, 1, 0, 0]}
    yield fused(op, "EXPLICIT", ["BiasAdd", "Relu6"], BIAS, steps=activated("Relu6"), **explicit)
    yield fused(op, "scalar bias", ["BiasAdd"], Const(0.5), steps=[biased("y", "AddV2")])
    yield fused(op, "residual for a bias", ["BiasAdd", "Relu"], RESIDUAL, steps=activated("Relu", "AddV2"))


def fused(op: str, name: str, ops: Sequence[str], *further: Const, steps: Sequence[Node], **attrs: Any) -> Case:
    """A fused convolution; `steps` read `conv` and make `y`."""
    shared: dict[str, Any] = {"padding": "SAME", "strides": plane(2, 2), "dilations": plane(1, 1)}
    shared |= {key: attrs[key] for key in ("padding", "explicit_paddings") if key in attrs}
    how = {"fused_ops": ops, "num_args": len(further), "tolerance": TOLERANCE}
    how["meaning"] = [*convolved(op, shared), *steps]
    return case(op, name, X, FILTERS[op], *further, **{**how, **shared, **attrs})


def channels_first(op: str) -> Iterator[Case]:
    attrs: dict[str, Any] = {"padding": "SAME", "strides": plane(2, 2), "dilations": plane(1, 1)}
    conv = transposed(BASES[op], "conv", X, FILTERS[op], **attrs)
    steps = {"bias": biased("y").having(data_format="NCHW"), "scalar bias": biased("y", "AddV2")}
    for name, bias in {"bias": BIAS, "scalar bias": Const(0.5)}.items():
        how: dict[str, Any] = {"meaning": [*conv, steps[name]], "tolerance": TOLERANCE, "javascript": FIRST[op]}
        further = {"fused_ops": ["BiasAdd"], "num_args": 1}
        yield case(op, f"NCHW {name}", first(X), FILTERS[op], bias, **how, **further, **first_attrs(X, **attrs))


def convolved(op: str, attrs: dict[str, Any]) -> list[Node]:
    """`conv`, by NumPy where TensorFlow dies of explicit paddings."""
    if attrs["padding"] == "EXPLICIT" and op == "FusedDepthwiseConv2dNative":
        return the_value(depthwise(X, FILTERS[op].value, attrs, (2, 2), (1, 1)), "conv")
    return [one(BASES[op], "conv", {"x": X, "x1": FILTERS[op]}, **attrs)]


def biased(name: str = "sum", op: str = "BiasAdd") -> Node:
    return new_node(op, name, ["conv", "x2"], T=FLOAT)


def activated(activation: str, add: str = "BiasAdd") -> list[Node]:
    return [biased(op=add), new_node(activation, "y", ["sum"], T=FLOAT)]


CASES = [made for op in BASES for made in (*fusions(op), *channels_first(op))]
