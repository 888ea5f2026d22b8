"""A node reads a tensor of the dtype that its attributes say."""

from __future__ import annotations

import pytest

from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node, Value, new_node, show
from bundler.ir.protos import FunctionDef, OpDef
from bundler.rewrites.rules.agree import agree_on_dtypes

BOOL, FLOAT, DOUBLE, INT, LONG = DType.bool, DType.float32, DType.float64, DType.int32, DType.int64


def agreed(*nodes: Node) -> list[str]:
    """The nodes that are new or read something else."""
    made = agree_on_dtypes(Model(Graph(nodes))).graph.nodes
    return [show(new, "SrcT", "DstT") for new in made if new not in nodes]


def source(name: str, dtype: DType) -> Node:
    return new_node("Placeholder", name, dtype=dtype)


@pytest.mark.parametrize(
    ("has", "says"),
    [(LONG, INT), (INT, LONG), (INT, FLOAT), (BOOL, FLOAT), (BOOL, INT), (DOUBLE, FLOAT), (FLOAT, DOUBLE)],
)
def test_an_integer_and_a_narrower_number_are_cast(has: DType, says: DType) -> None:
    assert agreed(source("x", has), new_node("Neg", "y", ["x"], T=says)) == [
        f"x/{says} = Cast(x, SrcT={has}, DstT={says})",
        f"y = Neg(x/{says})",
    ]


@pytest.mark.parametrize(("has", "says"), [(FLOAT, INT), (DType.string, INT), (FLOAT, BOOL), (DType.complex64, FLOAT)])
def test_what_a_cast_would_change_is_left_to_tensorflow(has: DType, says: DType) -> None:
    assert agreed(source("x", has), new_node("Neg", "y", ["x"], T=says)) == []


def test_a_cast_reads_whatever_it_is_given() -> None:
    assert agreed(source("x", FLOAT), new_node("Cast", "y", ["x"], SrcT=INT, DstT=BOOL)) == [
        "y = Cast(x, SrcT=float32, DstT=bool)"
    ]


def test_a_tensor_is_cast_once_and_each_port_by_itself() -> None:
    rows = new_node("Unpack", "u", ["x"], T=LONG, num=2)
    readers = [new_node("AddV2", "y", ["u:1", "u"], T=INT), new_node("Neg", "z", ["u:1"], T=INT)]
    assert agreed(source("x", LONG), source("u/int32", LONG), rows, *readers) == [
        "u/1/int32 = Cast(u:1, SrcT=int64, DstT=int32)",
        "u/int32_ = Cast(u, SrcT=int64, DstT=int32)",
        "y = AddV2(u/1/int32, u/int32_)",
        "z = Neg(u/1/int32)",
    ]


@pytest.mark.parametrize(
    ("op", "attrs", "wide"),
    [
        ("ArgMax", {}, True),
        ("ArgMax", {"output_type": INT}, False),
        ("Shape", {}, False),
        ("Shape", {"out_type": LONG}, True),
    ],
)
def test_an_output_has_the_dtype_that_tensorflow_assumes(op: str, attrs: dict[str, Value], wide: bool) -> None:
    inputs = ["x", "axis"] if op == "ArgMax" else ["x"]
    nodes = [source("x", FLOAT), source("axis", INT), new_node(op, "a", inputs, T=FLOAT, Tidx=INT, **attrs)]
    assert bool(agreed(*nodes, new_node("Neg", "y", ["a"], T=INT))) is wide


def test_an_argument_of_a_function_has_a_dtype() -> None:
    definition = FunctionDef(signature=OpDef(name="f", input_arg=[OpDef.ArgDef(name="a", type=INT)]))
    body = Function(definition, Graph((new_node("Neg", "n", ["a"], T=FLOAT),)), {})
    made = agree_on_dtypes(Model(Graph(()), functions={"f": body})).functions["f"].graph
    assert [show(each) for each in made.nodes] == ["a/float32 = Cast(a)", "n = Neg(a/float32)"]
