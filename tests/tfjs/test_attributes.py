from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, attr, new_node, shape_proto, show
from bundler.tfjs.attributes import derive, tidy

FLOAT, HALF, INT, INT64 = DType.float32, DType.float16, DType.int32, DType.int64


def tidied(op: str, **attrs: Any) -> dict[str, Any]:
    """The attributes of a node after tidying."""
    found = dict(new_node(op, "y", **attrs).attr)
    tidy(op, found)
    made = new_node(op, "y", **found)
    return {key: attr(made, key) for key in made.attr}


@pytest.mark.parametrize(
    ("op", "attrs", "kept"),
    [
        ("Conv2D", {"useCudnnOnGpu": True, "T": FLOAT}, {"T": FLOAT}),
        ("LogicalAnd", {"T": DType.bool}, {}),
        ("OnesLike", {"dtype": FLOAT, "T": FLOAT}, {"T": FLOAT}),
        ("FakeQuantWithMinMaxVars", {"min": 0.5}, {}),
    ],
)
def test_attributes_that_tensorflows_op_lacks_are_dropped(op: str, attrs: Any, kept: Any) -> None:
    assert tidied(op, **attrs) == kept


@pytest.mark.parametrize(
    ("attrs", "kept"),
    [
        ({"axis": [1]}, {"squeeze_dims": [1]}),
        ({"squeeze_dims": [2]}, {"squeeze_dims": [2]}),
        ({"axis": [1], "squeeze_dims": [2]}, {"squeeze_dims": [2]}),
    ],
)
def test_tensorflowjs_other_names_for_attributes_are_known(attrs: Any, kept: Any) -> None:
    assert tidied("Squeeze", **attrs) == kept


@pytest.mark.parametrize(
    ("op", "key", "default", "said"),
    [
        ("FusedBatchNorm", "epsilon", 0.001, 0.5),
        ("FusedBatchNormV2", "epsilon", 0.001, 0.5),
        ("FusedBatchNormV3", "epsilon", 0.001, 0.5),
        ("SparseToDense", "validate_indices", False, True),
    ],
)
def test_where_an_attribute_is_left_out_tensorflowjs_default_stands(op: str, key: str, default: Any, said: Any) -> None:
    assert tidied(op)[key] == pytest.approx(default)
    assert tidied(op, **{key: said})[key] == said


@pytest.mark.parametrize("op", ["Conv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative", "_FusedConv2D"])
@pytest.mark.parametrize(
    ("written", "order", "meant"),
    [
        ([2, 2, 1, 1], "NHWC", [1, 2, 1, 1]),
        ([4, 3, 2, 1], "NHWC", [1, 3, 2, 1]),
        ([1, 2, 2, 1], "NHWC", [1, 2, 2, 1]),
        ([1, 1, 2, 2], "nhwc", [1, 1, 2, 1]),
        ([1, 1, 1, 2], "NHWC", [1, 1, 1, 1]),
        ([1, 1, 2, 2], "NCHW", [1, 1, 2, 2]),
        ([1, 2, 2, 1], "nchw", [1, 1, 2, 2]),
        ([2, 2], "NHWC", [2, 2]),
    ],
)
@pytest.mark.parametrize("key", ["dilations", "strides"])
def test_of_sizes_by_dimension_those_count_that_tensorflowjs_reads(
    op: str, key: str, written: list[int], order: str, meant: list[int]
) -> None:
    assert tidied(op, data_format=order, **{key: written})[key] == meant


def test_a_pooling_over_the_channels_stays_one() -> None:
    over_channels = {"ksize": [1, 1, 1, 3], "strides": [1, 1, 1, 3]}
    assert tidied("MaxPool", **over_channels) == over_channels


@pytest.mark.parametrize(
    ("op", "key", "written", "meant"),
    [
        ("Conv2D", "padding", "same", "SAME"),
        ("Conv2D", "padding", "Explicit", "EXPLICIT"),
        ("Conv3D", "data_format", "ncdhw", "NCDHW"),
        ("MirrorPad", "mode", "reflect", "REFLECT"),
        ("ImageProjectiveTransformV3", "interpolation", "bilinear", "BILINEAR"),
        ("ImageProjectiveTransformV3", "fill_mode", "constant", "CONSTANT"),
        ("CropAndResize", "method", "NEAREST", "nearest"),
        ("_FusedMatMul", "fused_ops", ["biasadd", "LEAKYRELU"], ["BiasAdd", "LeakyRelu"]),
        ("_FusedConv2D", "fused_ops", ["BiasAdd", "Swish"], ["BiasAdd", "Swish"]),
        ("StaticRegexReplace", "pattern", "[A-Z]", "[A-Z]"),
    ],
)
def test_names_of_choices_may_be_written_in_any_case(op: str, key: str, written: Any, meant: Any) -> None:
    assert tidied(op, **{key: written})[key] == meant


@pytest.mark.parametrize(
    ("op", "key", "written", "meant"),
    [
        ("LeakyRelu", "alpha", 1, 1.0),
        ("Unpack", "axis", 1.0, 1),
        ("Conv2D", "strides", [1.0, 2.0, 2.0, 1.0], [1, 2, 2, 1]),
    ],
)
def test_numbers_may_be_written_as_either_kind(op: str, key: str, written: Any, meant: Any) -> None:
    found = tidied(op, **{key: written})[key]
    assert found == meant
    assert type(found) is type(meant)


@pytest.mark.parametrize(
    ("key", "written"), [("axis", 1.5), ("axis", 1e30), ("num", float("inf")), ("num", float("nan"))]
)
def test_a_fraction_is_no_count(key: str, written: float) -> None:
    with pytest.raises(ConversionError, match=f"'{key}' of Unpack is of another kind"):
        tidied("Unpack", **{key: written})


def test_an_op_outside_the_table_stays_as_it_is() -> None:
    attrs = {"whatever": 3, "dilations": [2, 2, 1, 1]}
    assert tidied("MyOp", **attrs) == attrs


@pytest.mark.parametrize(
    ("op", "attrs", "error"),
    [
        ("Relu", {"T": 1}, "attribute 'T' of Relu is of another kind (expected type)"),
        ("Relu", {"T": [FLOAT]}, "attribute 'T' of Relu is of another kind (expected type)"),
        ("Conv2D", {"strides": 1}, "attribute 'strides' of Conv2D is of another kind (expected list(int))"),
        ("Conv2D", {"strides": ["a"]}, "attribute 'strides' of Conv2D is of another kind (expected list(int))"),
        ("LeakyRelu", {"alpha": True}, "attribute 'alpha' of LeakyRelu is of another kind (expected float)"),
        ("AddN", {"N": -1}, "attribute 'N' of AddN is no number of tensors (found -1)"),
        (
            "Split",
            {"num_split": 1 << 40},
            "attribute 'num_split' of Split is no number of tensors (found 1099511627776)",
        ),
    ],
)
def test_an_attribute_of_another_kind_is_an_error(op: str, attrs: Any, error: str) -> None:
    with pytest.raises(ConversionError) as caught:
        tidied(op, **attrs)
    assert str(caught.value) == error


def test_an_empty_list_is_a_list_of_any_kind() -> None:
    assert tidied("Conv2D", strides=[], explicit_paddings=[]) == {"strides": [], "explicit_paddings": []}


# What the inputs imply

X, COUNT = new_node("Placeholder", "x", dtype=HALF), new_node("Placeholder", "i", dtype=INT)


def derived(*nodes: Node, arguments: Mapping[str, DType] = {}) -> str:
    """The last node with the attributes that it got."""
    last = derive(nodes, arguments)[-1]
    return show(last, *sorted(last.attr.keys() - nodes[-1].attr.keys()))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (new_node("Prelu", "y", ["x", "a"]), "y = Prelu(x, a, T=float16)"),
        (new_node("Prelu", "y", ["a", "x"]), "y = Prelu(a, x, T=float16)"),
        (new_node("Prelu", "y", ["x", "a"], T=FLOAT), "y = Prelu(x, a)"),
        (new_node("Prelu", "y", ["a", "b"]), "y = Prelu(a, b)"),
        (
            new_node("GatherV2", "y", ["x", "i", "i"]),
            "y = GatherV2(x, i, i, Taxis=int32, Tindices=int32, Tparams=float16)",
        ),
        (new_node("AddN", "y", ["x", "x:0", "^i"], T=HALF), "y = AddN(x, x:0, ^i, N=2)"),
        (new_node("AddN", "y", ["x", "x", "x"]), "y = AddN(x, x, x, N=3, T=float16)"),
        (new_node("ConcatV2", "y", ["x", "x", "i"]), "y = ConcatV2(x, x, i, N=2, T=float16, Tidx=int32)"),
        (new_node("IdentityN", "y", ["x", "i"]), "y = IdentityN(x, i, T=[float16, int32])"),
        (new_node("IdentityN", "y", ["x", "a"]), "y = IdentityN(x, a)"),
        (new_node("StatelessIf", "y", ["i", "x"]), "y = StatelessIf(i, x, Tcond=int32, Tin=[float16])"),
        (
            new_node("FusedDepthwiseConv2dNative", "y", ["x", "x", "x", "x"]),
            "y = FusedDepthwiseConv2dNative(x, x, x, x, T=float16, num_args=2)",
        ),
        (new_node("MyOp", "y", ["x"]), "y = MyOp(x)"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_a_node_lacks_follows_from_its_inputs(given: Node, shown: str) -> None:
    assert derived(X, COUNT, given) == shown


def test_an_argument_of_a_function_gives_its_readers_their_dtype() -> None:
    assert (
        derived(new_node("Prelu", "y", ["a", "b"]), arguments={"a": FLOAT, "b": FLOAT}) == "y = Prelu(a, b, T=float32)"
    )


def test_a_dtype_is_passed_on_along_a_chain_in_any_order() -> None:
    chain = [new_node("Relu", f"n{index}", [f"n{index - 1}" if index else "x"]) for index in range(5)]
    assert [attr(one, "T") for one in derive([*reversed(chain), X], {})[:-1]] == [HALF] * 5


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (new_node("SplitV", "y", ["x", "i", "i"], T=HALF, Tlen=INT), "y = SplitV(x, i, i, num_split=3)"),
        (new_node("Split", "y", ["i", "x"], T=HALF, num_split=5), "y = Split(i, x)"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_outputs_are_as_many_as_are_read_if_no_attribute_counts_them(given: Node, shown: str) -> None:
    readers = [
        new_node("Relu", "r", ["y:2"], T=HALF),
        new_node("Relu", "s", ["y"], T=HALF),
        new_node("NoOp", "n", ["^y"]),
    ]
    assert derived(X, COUNT, *readers, given) == shown


def test_an_output_without_readers_is_one_output() -> None:
    assert (
        derived(X, new_node("NoOp", "n", ["^y"]), new_node("Split", "y", ["i", "x"], T=HALF))
        == "y = Split(i, x, num_split=1)"
    )


@pytest.mark.parametrize(("axis", "count"), [(0, 2), (1, 3), (-1, 4)])
def test_an_unpack_has_as_many_outputs_as_the_known_dimension_has_places(axis: int, count: int) -> None:
    known = new_node("Placeholder", "k", dtype=HALF, shape=shape_proto((2, 3, 4)))
    passed = new_node("Identity", "p", ["k"], T=HALF)
    unpacked = new_node("Unpack", "y", ["p"], T=HALF, axis=axis)
    assert derived(known, passed, new_node("Relu", "r", ["y"], T=HALF), unpacked) == f"y = Unpack(p, num={count})"


def test_the_rows_that_are_read_of_an_unpack_of_unknown_shape_are_gathered() -> None:
    given = [X, new_node("Relu", "r", ["y:1"]), new_node("Unpack", "y", ["x", "^r"], axis=-1)]
    assert [show(made) for made in derive(given, {})[2:]] == [
        "y/axis = Const(^x)",
        "y/0 = Const(^x)",
        "y/row0 = GatherV2(x, y/0, y/axis, ^r)",
        "y/1 = Const(^x)",
        "y/row1 = GatherV2(x, y/1, y/axis, ^r)",
        "y = IdentityN(y/row0, y/row1)",
    ]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (new_node("Pack", "y", ["x", "x", "x"], T=HALF, N=2), "y = Pack(x, x, x, N=3, T=float16)"),
        (new_node("AddN", "y", ["x", "^i"], T=HALF, N=2), "y = AddN(x, ^i, N=1, T=float16)"),
        (
            new_node("_FusedMatMul", "y", ["x"] * 4, T=HALF, num_args=1),
            "y = _FusedMatMul(x, x, x, x, T=float16, num_args=2)",
        ),
        (
            new_node("ConcatV2", "y", ["x", "x", "x", "i"], T=HALF, Tidx=INT, N=2),
            "y = ConcatV2(x, x, x, i, N=2, T=float16, Tidx=int32)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_inputs_count_and_not_what_is_said_of_them(given: Node, shown: str) -> None:
    last = derive([X, COUNT, given], {})[-1]
    assert show(last, *sorted(last.attr)) == shown


@pytest.mark.long
@pytest.mark.parametrize("order", [1, -1], ids=["forward", "backward"])
def test_long_chains_are_no_matter(order: int) -> None:
    chain = [new_node("Relu", f"n{index}", [f"n{index - 1}" if index else "x"]) for index in range(10_000)]
    started = time.process_time()
    derived = {one.name: one for one in derive([X, *chain][::order], {})}
    assert attr(derived[chain[-1].name], "T") == HALF
    assert time.process_time() - started < 5


@pytest.mark.long
@pytest.mark.parametrize("is_reversed", [False, True])
def test_what_is_learned_along_a_long_chain_takes_no_longer_than_the_chain(is_reversed: bool) -> None:
    count = 5000
    chain = [new_node("Identity", f"i{at}", [f"i{at - 1}" if at else "x"]) for at in range(count)]
    wide = new_node("IdentityN", "all", [f"i{at}" for at in range(count)])
    nodes = [new_node("Placeholder", "x", dtype=FLOAT), *chain, wide]
    started = time.process_time()
    made = derive(nodes[::-1] if is_reversed else nodes, {})
    assert time.process_time() - started < 2
    assert attr(made[0 if is_reversed else -1], "T") == [FLOAT] * count


def test_what_is_learned_goes_round_a_loop() -> None:
    loop = [
        new_node("NextIteration", "next", ["body"]),
        new_node("Identity", "body", ["merge"]),
        new_node("Merge", "merge", ["next", "enter"]),
        new_node("Enter", "enter", ["x"]),
        new_node("Placeholder", "x", dtype=FLOAT),
    ]
    assert [attr(made, "T") for made in derive(loop, {})[:4]] == [FLOAT] * 4
