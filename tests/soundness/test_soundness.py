"""Faults that TensorFlow finds at the first call: each is found before, and what is right is left in peace.

The folders of tests/hostile/graphs have a case for every fault; here is what lies around them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from bundler import soundness
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node, Tensor, constant, new_node, shape_proto
from bundler.ir.protos import FunctionDef, NameAttrList, OpDef, TensorProto

FLOAT, INT, BOOL, STRING = DType.float32, DType.int32, DType.bool, DType.string


def faults(*nodes: Node, functions: Mapping[str, Function] = {}) -> list[str]:
    return [str(fault) for fault in soundness.faults(Model(Graph(nodes), functions=functions))]


def function(
    name: str, *nodes: Node, takes: Sequence[DType] = (FLOAT,), gives: Mapping[str, Tensor] | None = None
) -> Function:
    """A function of x0, x1, …; it gives a float, by default its first argument."""
    given = {"r": Tensor("x0")} if gives is None else gives
    signature = OpDef(
        name=name,
        input_arg=[OpDef.ArgDef(name=f"x{at}", type=dtype) for at, dtype in enumerate(takes)],
        output_arg=[OpDef.ArgDef(name=result, type=FLOAT) for result in given],
    )
    return Function(FunctionDef(signature=signature), Graph(nodes), given)


def call(name: str, called: str, condition: str = "x1") -> Node:
    both = {"then_branch": NameAttrList(name=called), "else_branch": NameAttrList(name=called)}
    return new_node("If", name, [condition, "x0"], Tcond=BOOL, Tin=[FLOAT], Tout=[FLOAT], **both)


def chain(count: int) -> dict[str, Function]:
    """Functions that call each other in a row, the last called first."""
    last = {f"f{count - 1}": function(f"f{count - 1}")}
    return last | {f"f{at}": function(f"f{at}", call("y", f"f{at + 1}")) for at in reversed(range(count - 1))}


def test_a_call_that_fits_is_fine() -> None:
    assert faults(call("y", "f"), functions={"f": function("f")}) == []


@pytest.mark.parametrize("order", [1, -1], ids=["called first", "called last"])
def test_calls_are_a_hundred_deep_at_most(order: int) -> None:
    assert faults(functions=dict([*chain(100).items()][::order])) == []
    assert faults(functions=dict([*chain(101).items()][::order])) == [
        "function 'f0': too many functions call each other (found 101 deep, expected at most 100)"
    ]


def test_functions_that_call_one_another_twice_are_looked_at_once() -> None:
    double = {f"f{at}": function(f"f{at}", call("y", f"f{at + 1}"), call("z", f"f{at + 1}")) for at in range(90)}
    assert faults(functions=double | {"f90": function("f90")}) == []


def test_a_list_of_functions_is_looked_through() -> None:
    several = [NameAttrList(name="f"), NameAttrList(name="g")]
    case = new_node("Case", "y", ["x1", "x0"], Tin=[FLOAT], Tout=[FLOAT], branches=several)
    assert faults(case, functions={"f": function("f")}) == [
        "node 'y': attribute 'branches' names a function that the model does not have (found 'g')"
    ]


def test_a_missing_function_of_nearly_that_name_is_pointed_at() -> None:
    model = Model(Graph((call("y", "__inference_f_1"),)), functions={"__inference_f_11": function("__inference_f_11")})
    assert {fault.hint for fault in soundness.faults(model)} == {"did you mean '__inference_f_11'?"}


def test_a_function_that_is_called_by_its_name_takes_part_in_a_circle() -> None:
    assert faults(functions={"f": function("f", new_node("f", "y", ["x0"]))}) == [
        "function 'f': functions call themselves (found f → f)"
    ]


SIZES = [
    ("Conv2D", "strides", [1, 2, 2, 1], 4, ""),
    ("Conv3D", "strides", [1, 1, 1, 1], 4, "attribute 'strides' has a wrong number of entries (found 4, expected 5)"),
    ("MaxPool", "ksize", [1, 2, 2], 4, "attribute 'ksize' has a wrong number of entries (found 3, expected 4)"),
    (
        "Dilation2D",
        "rates",
        [1, 0, 1, 1],
        4,
        "attribute 'rates' has a size out of range (found [1, 0, 1, 1], expected 1 to 2147483647)",
    ),
    (
        "Conv2D",
        "dilations",
        [1, 1 << 31, 1, 1],
        4,
        "attribute 'dilations' has a size out of range (found [1, 2147483648, 1, 1], expected 1 to 2147483647)",
    ),
    ("Squeeze", "squeeze_dims", [1, 2, 3, 1, 1], 4, ""),
]


@pytest.mark.parametrize(("op", "key", "sizes", "rank", "fault"), SIZES, ids=lambda value: str(value)[:20])
def test_lists_by_dimension_have_an_entry_for_each(op: str, key: str, sizes: list[int], rank: int, fault: str) -> None:
    assert faults(new_node(op, "y", ["x0"], T=FLOAT, **{key: sizes})) == ([f"node 'y': {fault}"] if fault else [])


@pytest.mark.parametrize(("before", "after", "is_fine"), [(1, 0, True), (2, 1, True), (2, 3, True), (2, 0, False)])
def test_gathered_rows_lose_at_most_one_rank(before: int, after: int, is_fine: bool) -> None:
    ranks = {"PARAMS_RAGGED_RANK": before, "OUTPUT_RAGGED_RANK": after}
    expected = "node 'y': attribute 'OUTPUT_RAGGED_RANK' is too small (found 0, expected at least 1)"
    assert faults(new_node("RaggedGather", "y", ["x0"] * (before + 2), **ranks)) == ([] if is_fine else [expected])


def tensor(dtype: DType, shape: Sequence[int], **values: object) -> TensorProto:
    return TensorProto(dtype=dtype, tensor_shape=shape_proto(tuple(shape)), **values)


VALUES = [
    (tensor(FLOAT, [3], float_val=[1]), ""),  # TensorFlow repeats the last one
    (tensor(FLOAT, [2], float_val=[1, 2, 3]), ""),
    (tensor(FLOAT, [0]), ""),
    (tensor(STRING, [2], string_val=[b"a"]), ""),
    (tensor(FLOAT, [1 << 26], float_val=[1]), ""),
    (
        tensor(FLOAT, [(1 << 26) + 1], float_val=[1]),
        "takes too much memory for its few values (found 67108865 of float32)",
    ),
    (
        tensor(FLOAT, [1 << 62], float_val=[1]),
        f"takes too much memory for its few values (found {1 << 62} of float32)",
    ),
    (
        tensor(FLOAT, [1 << 62, 2], float_val=[1]),
        f"'s value has a shape that no tensor has (found [{1 << 62}, 2])",
    ),
    (tensor(FLOAT, [1] * 254, float_val=[1]), ""),
    (
        tensor(FLOAT, [1] * 255, float_val=[1]),
        "'s value has a shape that no tensor has (found [" + 16 * "1, " + "… and 239 more])",
    ),
    (
        tensor(FLOAT, [2] * 100_000, tensor_content=bytes(4)),  # 2^100000 has too many digits for Python
        "'s value has a shape that no tensor has (found [" + 16 * "2, " + "… and 99,984 more])",
    ),
    (tensor(FLOAT, [2], int_val=[1, 2]), "has no value (found 2 of float32)"),
    (tensor(STRING, [1], tensor_content=b"a"), "'s value does not fit its shape (found 1 bytes, expected 1 of string)"),
    (tensor(DType.resource, []), "'s value is of another dtype (found resource, expected resource)"),
]


@pytest.mark.parametrize(("value", "fault"), VALUES, ids=[str(at) for at in range(len(VALUES))])
def test_a_constant_holds_as_many_values_as_its_shape_needs(value: TensorProto, fault: str) -> None:
    const = new_node("Const", "c", dtype=DType(value.dtype), value=value)
    space = "" if fault.startswith("'") else " "
    assert faults(const) == ([f"node 'c': the constant{space}{fault}"] if fault else [])


def test_constants_that_bundler_makes_are_sound() -> None:
    arrays = [np.zeros((2, 3), np.float32), np.array(True), np.array([1], np.int64), np.array(1j, np.complex64)]
    assert faults(*(constant(f"c{at}", array) for at, array in enumerate(arrays))) == []


@pytest.mark.parametrize(
    ("inputs", "is_fine"), [(["x", "^a", "^b"], True), (["^a"], True), (["^a", "x"], False), (["x", "^a", "y"], False)]
)
def test_control_inputs_stand_at_the_end(inputs: list[str], is_fine: bool) -> None:
    assert (faults(new_node("Op", "y", inputs)) == []) == is_fine


@pytest.mark.parametrize("name", ["", "y/", "a/b/"])
def test_a_name_that_tensorflows_python_would_not_find_is_refused(name: str) -> None:
    assert faults(new_node("Relu", name, ["x"], T=FLOAT)) == [
        f"node {name!r}: TensorFlow does not load a node of this name"
    ]


TABLE = new_node("HashTableV2", "t", key_dtype=STRING, value_dtype=FLOAT)
FIND = new_node("LookupTableFindV2", "y", ["t", "k", "d"], Tin=STRING, Tout=FLOAT)
FILL = new_node("LookupTableImportV2", "fill", ["t", "k", "v"], Tin=STRING, Tout=FLOAT)


@pytest.mark.parametrize(
    ("nodes", "is_fine"),
    [
        ((TABLE, FIND), False),
        ((TABLE, FIND, FILL), True),
        ((TABLE, FIND, new_node("Identity", "i", ["t"]), FILL._replace(input=("i", "k", "v"))), True),
        ((TABLE, TABLE._replace(name="other"), FILL), False),
        ((TABLE, FIND, FILL._replace(input=("argument", "k", "v"))), True),
    ],
    ids=["not filled", "filled", "behind an identity", "only one of two", "by an argument"],
)
def test_a_table_is_filled_by_whatever_node(nodes: tuple[Node, ...], is_fine: bool) -> None:
    assert (faults(*nodes) == []) == is_fine
