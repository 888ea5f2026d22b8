"""What the notation in the rules' docstrings cannot show: when a rule declines, and what it must not lose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from bundler import rewrites
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Node, Tensor, Value, attr, constant, new_node, shape_proto
from bundler.manifest import Compat
from bundler.rewrites.engine import Declined, Rule
from bundler.rewrites.rules.bias import add_bias
from bundler.rewrites.rules.channels import put_channels_last
from bundler.rewrites.rules.depthwise import dilate_by_batches, pad_before_depthwise, stride_after_depthwise
from bundler.rewrites.rules.fused import split_fused
from bundler.rewrites.rules.inference import normalize_by_given_statistics
from bundler.rewrites.rules.own import pad_with_value

FLOAT = DType.float32
FILTER = constant("w", np.ones((3, 3, 2, 1), np.float32))


def source(name: str) -> Node:
    return new_node("Placeholder", name, dtype=FLOAT)


def depthwise(*inputs: str, **attrs: Value) -> Node:
    plain: dict[str, Any] = {"T": FLOAT, "strides": [1, 1, 1, 1], "padding": "SAME"}
    return new_node("DepthwiseConv2dNative", "y", inputs or ("x", "w"), **{**plain, **attrs})


LOWERED: list[tuple[Rule, dict[str, Value]]] = [
    (dilate_by_batches, {"dilations": [1, 2, 2, 1]}),
    (stride_after_depthwise, {"strides": [1, 2, 1, 1]}),
    (pad_before_depthwise, {"padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 1, 1, 1, 0, 0]}),
    (put_channels_last, {"data_format": "NCHW"}),
]
EVERY_LOWERING = pytest.mark.parametrize(("rule", "attrs"), LOWERED, ids=lambda value: getattr(value, "__name__", ""))


def lowered(rule: Rule, conv: Node, *others: Node) -> Sequence[Node]:
    made = rule(conv, Graph((source("x"), FILTER, conv, *others)))
    assert isinstance(made, list)
    return made


@EVERY_LOWERING
def test_a_lowered_convolution_waits_for_what_it_waited_for(rule: Rule, attrs: dict[str, Value]) -> None:
    made = lowered(rule, depthwise("x", "w", "^before", **attrs), source("before"))
    assert [new.op for new in made if "^before" in new.input] == [next(new.op for new in made if new.op != "Const")]


@EVERY_LOWERING
def test_constants_of_a_lowered_convolution_stand_in_its_loop(rule: Rule, attrs: dict[str, Value]) -> None:
    enter = new_node("Enter", "enter", ["x"], T=FLOAT, frame_name="loop")
    made = lowered(rule, depthwise("enter", "w", **attrs), enter)
    assert {tuple(new.input) for new in made if new.op == "Const"} == {("^enter",)}


@EVERY_LOWERING
def test_a_plain_depthwise_convolution_stays_as_it_is(rule: Rule, attrs: dict[str, Value]) -> None:
    plain = depthwise(dilations=[1, 1, 1, 1], data_format="NHWC")
    assert rule(plain, Graph((source("x"), FILTER, plain))) is None


@pytest.mark.parametrize(
    ("rule", "what"), [(dilate_by_batches, "dilations [2, 2]"), (stride_after_depthwise, "strides [2, 1]")]
)
def test_a_filter_of_unknown_size_stays_with_the_kernel_that_can_do_it(rule: Rule, what: str) -> None:
    conv = depthwise(strides=[1, 2, 1, 1], dilations=[1, 2, 2, 1])
    found = rule(conv, Graph((source("x"), source("w"), conv)))
    assert found == Declined(f"{what} run with oneDNN (x86) only, because the filter is no constant")


def test_a_bias_is_transposed_behind_a_convolution_only() -> None:
    conv = new_node("Conv2D", "conv", ["x", "w"], T=FLOAT, data_format="NCHW", strides=[1, 1, 1, 1], padding="SAME")
    behind = new_node("BiasAdd", "behind", ["conv", "b"], T=FLOAT, data_format="NCHW")
    alone = new_node("BiasAdd", "alone", ["x", "b"], T=FLOAT, data_format="NCHW")
    graph = Graph((source("x"), source("w"), source("b"), conv, behind, alone))
    assert put_channels_last(alone, graph) is None
    assert ops_for(behind, put_channels_last, *graph.nodes[:-2])[-1] == "Transpose"


NORM = new_node("FusedBatchNormV3", "y", ["x", "scale", "offset", "mean", "mean"], T=FLOAT, is_training=True)


@pytest.mark.parametrize(
    ("norm", "count", "found"),
    [
        (NORM, 3, [NORM.having(is_training=False)]),
        (NORM, 0, Declined("normalized by the batch's statistics, because the model holds none")),
        (NORM.having(is_training=False), 3, None),
        (NORM.having(is_training=False), 0, None),
    ],
)
def test_a_batch_norm_in_training_uses_the_statistics_that_it_is_given(norm: Node, count: int, found: object) -> None:
    mean = constant("mean", np.zeros(count, np.float32))
    graph = Graph((source("x"), source("scale"), source("offset"), mean, norm))
    assert normalize_by_given_statistics(norm, graph) == found


def run(*nodes: Node) -> Graph:
    """The graph that is left of these nodes, from `x` to `y`."""
    x, y = TensorSpec(Tensor("x"), FLOAT), TensorSpec(Tensor("y"), FLOAT)
    return rewrites.run(Model(Graph(nodes), {"serve": Signature({"x": x}, {"y": y})}), Compat.NONE).graph


def test_what_waits_for_an_assertion_still_can() -> None:
    asserted = new_node("Assert", "assert", ["true", "x"], T=[FLOAT])
    y = new_node("Identity", "y", ["x", "^assert"], T=FLOAT)
    made = run(source("x"), constant("true", np.array(True)), asserted, y)
    assert made.by_name["assert"].op == "NoOp"
    assert [*made.by_name["y"].input] == ["x", "^assert"]


def test_what_an_assertion_alone_needs_is_neither_refused_nor_kept() -> None:
    asserted = new_node("Assert", "assert", ["true", "message"], T=[FLOAT])
    message = new_node("OpThatIsUnknown", "message", ["x"])
    y = new_node("Identity", "y", ["x", "^assert"], T=FLOAT)
    made = run(source("x"), constant("true", np.array(True)), message, asserted, y)
    assert made.by_name.keys() == {"x", "true", "assert", "y"}


def test_an_assertion_without_inputs_is_refused() -> None:
    with pytest.raises(ConversionError, match="Assert"):
        run(source("x"), new_node("Assert", "assert"), new_node("Identity", "y", ["x", "^assert"], T=FLOAT))


def test_the_limits_of_a_fake_quantization_go_with_it() -> None:
    limits = [constant(name, np.array(0, np.float32)) for name in ("min", "max")]
    quantized = new_node("FakeQuantWithMinMaxVars", "y", ["x", "min", "max"], num_bits=8)
    assert [made.op for made in run(source("x"), *limits, quantized).nodes] == ["Placeholder", "Identity"]


@pytest.mark.parametrize("fused_ops", [["BiasAdd"], ["NoOp", "Prelu"]])
def test_a_fused_op_without_the_input_that_it_speaks_of_is_refused(fused_ops: list[str]) -> None:
    graph = Graph((new_node("Placeholder", "x", dtype=DType.float32), constant("w", np.array(3, np.float32))))
    fused = new_node("_FusedConv2D", "y", ["x", "w"], T=DType.float32, fused_ops=fused_ops)
    with pytest.raises(ConversionError, match=f"no input for its {fused_ops[-1]}"):
        split_fused(fused, graph)


CONV = new_node("Conv2D", "c", ["x", "w"], T=FLOAT, strides=[1, 1, 1, 1], padding="SAME")


@pytest.mark.parametrize(
    ("bias", "order", "op"),
    [
        ((4,), "NHWC", "BiasAdd"),
        ((4,), "NCHW", "BiasAdd"),
        ((1,), "NHWC", "AddV2"),
        ((3,), "NHWC", "AddV2"),
        ((), "NHWC", "AddV2"),
        ((1, 4), "NHWC", "AddV2"),
        ((1, 4, 1, 1), "NCHW", "AddV2"),
    ],
)
@pytest.mark.parametrize("is_fused", [False, True], ids=["bare", "fused"])
def test_a_bias_that_is_no_vector_along_the_channels_is_added(
    bias: tuple[int, ...], order: str, op: str, is_fused: bool
) -> None:
    weights = [constant("w", np.ones((1, 1, 3, 4), np.float32)), constant("b", np.zeros(bias, np.float32))]
    conv = CONV.having(data_format=order)
    biased = [conv, new_node("BiasAdd", "y", ["c", "b"], T=FLOAT, data_format=order)]
    if is_fused:
        biased = [
            conv._replace(op="_FusedConv2D", name="y", input=("x", "w", "b")).having(fused_ops=["BiasAdd"], num_args=1)
        ]
    made = run(source("x"), *weights, *biased)
    assert made.ops & {"BiasAdd", "AddV2"} == {op}


def test_a_bias_beside_a_filter_that_is_none_is_added_as_it_is() -> None:
    weights = (constant("w", np.array(3, np.float32)), constant("b", np.zeros(3, np.float32)))
    biased = new_node("BiasAdd", "y", ["c", "b"], T=FLOAT)
    assert ops_for(biased, add_bias, source("x"), CONV, *weights) == ["AddV2"]


@pytest.mark.parametrize(
    ("bias", "order", "op"),
    [
        (source("b"), "NHWC", "AddV2"),
        (source("b"), "NCHW", "BiasAdd"),
        (new_node("Placeholder", "b", dtype=FLOAT, shape=shape_proto((4,))), "NCHW", "BiasAdd"),
        (new_node("Placeholder", "b", dtype=FLOAT, shape=shape_proto((1, 4, 1, 1))), "NCHW", "AddV2"),
        (new_node("Relu", "b", ["c"], T=FLOAT), "NCHW", "AddV2"),
        (new_node("AddV2", "b", ["c", "w"], T=FLOAT), "NCHW", "AddV2"),
    ],
)
def test_a_bias_that_is_no_constant_is_added_unless_it_may_be_a_vector_before_the_image(
    bias: Node, order: str, op: str
) -> None:
    biased = new_node("BiasAdd", "y", ["c", "b"], T=FLOAT, data_format=order)
    assert ops_for(biased, add_bias, source("x"), FILTER, CONV, bias) == [op]


def test_a_bias_of_unknown_rank_before_the_image_stays_and_the_model_says_so() -> None:
    biased = new_node("BiasAdd", "y", ["c", "b"], T=FLOAT, data_format="NCHW")
    found = add_bias(biased, Graph((source("x"), FILTER, CONV, source("b"), biased)))
    assert found == Declined("with channels first, TensorFlow runs it only if the bias, of unknown rank, is a vector")


def ops_for(node: Node, rule: Rule, *others: Node) -> list[str]:
    """The ops of the nodes that a rule leaves in place of one."""
    found = rule(node, Graph((*others, node)))
    return [made.op for made in (found if isinstance(found, list) else [node])]


@pytest.mark.parametrize(
    ("value", "dtype", "op"),
    [(0.0, FLOAT, "Pad"), (1.5, FLOAT, "PadV2"), (7.0, DType.int32, "PadV2"), (1.0, DType.string, "Pad")],
)
def test_a_pad_has_a_value_if_it_says_one(value: float, dtype: DType, op: str) -> None:
    pad = new_node("Pad", "y", ["x", "p"], T=dtype, Tpaddings=DType.int32, constant_value=value)
    found = pad_with_value(pad, Graph((source("x"), source("p"), pad)))
    assert isinstance(found, list)
    assert found[-1].op == op
    assert "constant_value" not in found[-1].attr


@pytest.mark.parametrize("dtype", [DType.string, DType.qint8])
def test_a_constant_of_a_dtype_that_numpy_lacks_is_an_error(dtype: DType) -> None:
    ones = new_node("Ones", "y", ["x"], T=dtype, index_type=DType.int32)
    with pytest.raises(
        ConversionError, match=f"^node 'y': no constant of this dtype can be made \\(found {dtype.name}"
    ):
        rewrites.run(whole(source("x").having(dtype=DType.int32), ones), Compat.NONE)


def test_ones_without_a_dtype_are_floats_as_in_tensorflowjs() -> None:
    made = rewrites.run(
        whole(source("x").having(dtype=DType.int32), new_node("Ones", "y", ["x"], index_type=DType.int32)), Compat.NONE
    )
    assert attr(made.graph.by_name["y"], "T") == FLOAT


def test_names_that_are_taken_a_thousand_times_are_passed_over() -> None:
    taken = [new_node("Identity", "y/pos" + "_" * more, ["x"], T=FLOAT) for more in range(2000)]
    prelu = new_node("Prelu", "y", ["x", "x", *(f"^{each.name}" for each in taken)], T=FLOAT)
    made = rewrites.run(whole(source("x"), *taken, prelu), Compat.NONE)
    assert made.graph.by_name["y/pos" + "_" * 2000].op == "Relu"


def whole(*nodes: Node) -> Model:
    """A model whose output is `y`."""
    return Model(Graph(nodes), {"s": Signature({}, {"y": TensorSpec(Tensor("y"), FLOAT)})})
