from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from bundler.dtypes import DType
from bundler.errors import ConversionError
from bundler.nodes import Node, attr, node, show
from bundler.tfjs.attributes import derive, tidy

FLOAT, HALF, INT, INT64 = DType.float32, DType.float16, DType.int32, DType.int64


def tidied(op: str, **attrs: Any) -> dict[str, Any]:
    """The attributes of a node after tidying."""
    found = dict(node(op, "y", **attrs).attr)
    tidy(op, found)
    made = node(op, "y", **found)
    return {key: attr(made, key) for key in made.attr}


@pytest.mark.parametrize(
    ("op", "attrs", "kept"),
    [
        ("Conv2D", {"useCudnnOnGpu": True, "T": FLOAT}, {"T": FLOAT}),
        ("LogicalAnd", {"T": DType.bool}, {}),
        ("OnesLike", {"dtype": FLOAT, "T": FLOAT}, {"T": FLOAT}),
        ("Pad", {"constant_value": 0.5}, {}),
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
    ("written", "meant"),
    [
        ([2, 2, 1, 1], [1, 2, 2, 1]),
        ([4, 2, 1, 1], [1, 4, 2, 1]),
        ([1, 2, 2, 1], [1, 2, 2, 1]),
        ([1, 1, 2, 2], [1, 1, 2, 2]),
        ([1, 1, 1, 1], [1, 1, 1, 1]),
    ],
)
def test_dilations_of_old_converters_are_put_in_order(op: str, written: list[int], meant: list[int]) -> None:
    assert tidied(op, dilations=written)["dilations"] == meant


def test_an_op_outside_the_table_stays_as_it_is() -> None:
    attrs = {"whatever": 3, "dilations": [2, 2, 1, 1]}
    assert tidied("MyOp", **attrs) == attrs


@pytest.mark.parametrize(
    ("op", "attrs", "told"),
    [
        ("Relu", {"T": 1}, "attribute 'T' of Relu is of another kind (expected type)"),
        ("Relu", {"T": [FLOAT]}, "attribute 'T' of Relu is of another kind (expected type)"),
        ("Conv2D", {"strides": 1}, "attribute 'strides' of Conv2D is of another kind (expected list(int))"),
        ("Conv2D", {"strides": ["a"]}, "attribute 'strides' of Conv2D is of another kind (expected list(int))"),
        ("LeakyRelu", {"alpha": True}, "attribute 'alpha' of LeakyRelu is of another kind (expected float)"),
        ("AddN", {"N": -1}, "attribute 'N' of AddN counts tensors (found -1)"),
        ("Split", {"num_split": 1 << 40}, "attribute 'num_split' of Split counts tensors (found 1099511627776)"),
    ],
)
def test_an_attribute_of_another_kind_is_told(op: str, attrs: Any, told: str) -> None:
    with pytest.raises(ConversionError) as caught:
        tidied(op, **attrs)
    assert str(caught.value) == told


def test_an_empty_list_is_a_list_of_any_kind() -> None:
    assert tidied("Conv2D", strides=[], explicit_paddings=[]) == {"strides": [], "explicit_paddings": []}


# What the surroundings tell

X, COUNT = node("Placeholder", "x", dtype=HALF), node("Placeholder", "i", dtype=INT)


def derived(*nodes: Node, arguments: Mapping[str, DType] = {}) -> str:
    """The last node with the attributes that it got."""
    last = derive(nodes, arguments)[-1]
    return show(last, *sorted(last.attr.keys() - nodes[-1].attr.keys()))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (node("Prelu", "y", ["x", "a"]), "y = Prelu(x, a, T=float16)"),
        (node("Prelu", "y", ["a", "x"]), "y = Prelu(a, x, T=float16)"),
        (node("Prelu", "y", ["x", "a"], T=FLOAT), "y = Prelu(x, a)"),
        (node("Prelu", "y", ["a", "b"]), "y = Prelu(a, b)"),
        (node("GatherV2", "y", ["x", "i", "i"]), "y = GatherV2(x, i, i, Taxis=int32, Tindices=int32, Tparams=float16)"),
        (node("AddN", "y", ["x", "x:0", "^i"], T=HALF), "y = AddN(x, x:0, ^i, N=2)"),
        (node("AddN", "y", ["x", "x", "x"]), "y = AddN(x, x, x, N=3, T=float16)"),
        (node("ConcatV2", "y", ["x", "x", "i"]), "y = ConcatV2(x, x, i, N=2, T=float16, Tidx=int32)"),
        (node("IdentityN", "y", ["x", "i"]), "y = IdentityN(x, i, T=[float16, int32])"),
        (node("IdentityN", "y", ["x", "a"]), "y = IdentityN(x, a)"),
        (node("StatelessIf", "y", ["i", "x"]), "y = StatelessIf(i, x, Tcond=int32, Tin=[float16])"),
        (
            node("FusedDepthwiseConv2dNative", "y", ["x", "x", "x", "x"]),
            "y = FusedDepthwiseConv2dNative(x, x, x, x, T=float16, num_args=2)",
        ),
        (node("MyOp", "y", ["x"]), "y = MyOp(x)"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_a_node_lacks_is_told_by_its_inputs(given: Node, shown: str) -> None:
    assert derived(X, COUNT, given) == shown


def test_an_argument_of_a_function_tells_its_dtype() -> None:
    assert derived(node("Prelu", "y", ["a", "b"]), arguments={"a": FLOAT, "b": FLOAT}) == "y = Prelu(a, b, T=float32)"


def test_a_dtype_is_passed_on_along_a_chain_in_any_order() -> None:
    chain = [node("Relu", f"n{index}", [f"n{index - 1}" if index else "x"]) for index in range(5)]
    assert [attr(one, "T") for one in derive([*reversed(chain), X], {})[:-1]] == [HALF] * 5


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (node("Unpack", "y", ["x"], T=HALF), "y = Unpack(x, num=3)"),
        (node("SplitV", "y", ["x", "i", "i"], T=HALF, Tlen=INT), "y = SplitV(x, i, i, num_split=3)"),
        (node("Split", "y", ["i", "x"], T=HALF, num_split=5), "y = Split(i, x)"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_outputs_are_as_many_as_are_read_where_nobody_counts_them(given: Node, shown: str) -> None:
    readers = [node("Relu", "r", ["y:2"], T=HALF), node("Relu", "s", ["y"], T=HALF), node("NoOp", "n", ["^y"])]
    assert derived(X, COUNT, *readers, given) == shown


def test_an_output_that_nobody_reads_is_one_output() -> None:
    assert derived(X, node("NoOp", "n", ["^y"]), node("Unpack", "y", ["x"], T=HALF)) == "y = Unpack(x, num=1)"


@pytest.mark.parametrize("order", [1, -1], ids=["forward", "backward"])
def test_long_chains_are_no_matter(order: int) -> None:
    chain = [node("Relu", f"n{index}", [f"n{index - 1}" if index else "x"]) for index in range(10_000)]
    started = time.perf_counter()
    derived = {one.name: one for one in derive([X, *chain][::order], {})}
    assert attr(derived[chain[-1].name], "T") == HALF
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("is_reversed", [False, True])
def test_what_is_learned_along_a_long_chain_takes_no_longer_than_the_chain(is_reversed: bool) -> None:
    count = 5000
    chain = [node("Identity", f"i{at}", [f"i{at - 1}" if at else "x"]) for at in range(count)]
    wide = node("IdentityN", "all", [f"i{at}" for at in range(count)])
    nodes = [node("Placeholder", "x", dtype=FLOAT), *chain, wide]
    started = time.process_time()
    made = derive(nodes[::-1] if is_reversed else nodes, {})
    assert time.process_time() - started < 2
    assert attr(made[0 if is_reversed else -1], "T") == [FLOAT] * count


def test_what_is_learned_goes_round_a_loop() -> None:
    loop = [
        node("NextIteration", "next", ["body"]),
        node("Identity", "body", ["merge"]),
        node("Merge", "merge", ["next", "enter"]),
        node("Enter", "enter", ["x"]),
        node("Placeholder", "x", dtype=FLOAT),
    ]
    assert [attr(made, "T") for made in derive(loop, {})[:4]] == [FLOAT] * 4
