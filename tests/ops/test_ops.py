from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from bundler import ops
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node, Tensor, new_node
from bundler.ir.protos import FunctionDef
from bundler.ops import Argument
from tests.support.places import TESTS

TABLE = Path(ops.__file__).with_name("ops.json")
GENERATOR = TESTS / "generate" / "op_table.py"
FLOAT, INT, BOOL = DType.float32, DType.int32, DType.bool

UNIQUE = new_node("UniqueV2", "u", ["x", "axis"], T=FLOAT, Taxis=INT, out_idx=DType.int64)
SPLIT = new_node("Split", "s", ["axis", "x"], T=FLOAT, num_split=3)
WHILE = new_node("While", "w", ["i", "x"], T=[INT, FLOAT])
UNKNOWN = new_node("WriteFile", "evil", ["name", "content"])


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("tensorflowjs") is None, reason="tensorflowjs is not installed")
def test_the_table_is_what_tensorflow_and_tensorflowjs_say() -> None:
    made = subprocess.run(
        [sys.executable, str(GENERATOR)],
        cwd=GENERATOR.parents[2],
        env={"PYTHONPATH": "."},
        capture_output=True,
        check=True,
    )
    assert made.stdout.decode() == TABLE.read_text()


def test_the_table_has_a_row_for_each_op_of_the_op_lists_and_no_other() -> None:
    assert len([name for name, op in ops.table().items() if not op.ours]) == 248
    assert {"Conv2D", "Prelu", "FusedDepthwiseConv2dNative", "Ones", "TensorListStack"} <= ops.table().keys()
    assert not {"WriteFile", "ReadFile", "PyFunc", "Save"} & ops.table().keys()


def test_every_row_names_its_attributes() -> None:
    for name, op in ops.table().items():
        arguments = [*op.inputs, *op.outputs]
        named = {argument.kind for argument in arguments} - DType.__members__.keys()
        named |= {argument.number for argument in arguments} - {""}
        assert named <= op.attrs.keys(), name
        assert set(op.defaults) | set(op.implied) | set(op.aliases.values()) <= op.attrs.keys(), name


@pytest.mark.parametrize(
    ("spelled", "argument"),
    [
        ("x:T", Argument("x", "T")),
        ("x:float32", Argument("x", "float32")),
        ("xs:N*T", Argument("xs", "T", "N")),
        ("xs:N*int32", Argument("xs", "int32", "N")),
        ("xs:*Tin", Argument("xs", "Tin", listed=True)),
    ],
)
def test_an_argument_is_one_tensor_or_a_list(spelled: str, argument: Argument) -> None:
    assert Argument.parse(spelled) == argument


@pytest.mark.parametrize(
    ("argument", "dtypes"),
    [
        (Argument("x", "int32"), [INT]),
        (Argument("x", "T"), [FLOAT]),
        (Argument("x", "absent"), [None]),
        (Argument("x", "T", "N"), [FLOAT, FLOAT]),
        (Argument("x", "T", "absent"), []),
        (Argument("x", "Ts", listed=True), [FLOAT, INT]),
        (Argument("x", "absent", listed=True), []),
    ],
)
def test_an_argument_has_the_dtypes_of_its_node(argument: Argument, dtypes: list[DType | None]) -> None:
    node = new_node("Op", "y", T=FLOAT, N=2, Ts=[FLOAT, INT])
    assert [argument.dtype(node, index) for index in range(argument.count(node))] == dtypes


@pytest.mark.parametrize(
    ("reader", "port", "dtype"),
    [
        (UNIQUE, 0, FLOAT),
        (UNIQUE, 1, DType.int64),
        (UNIQUE, 2, None),
        (SPLIT, 2, FLOAT),
        (WHILE, 0, INT),
        (new_node("Greater", "g"), 0, BOOL),
        (new_node("Placeholder", "p"), 0, None),
        (UNKNOWN, 0, None),
    ],
)
def test_the_dtype_of_an_output_follows_from_attributes(reader: Node, port: int, dtype: DType | None) -> None:
    assert ops.output_dtype(reader, port) == dtype


@pytest.mark.parametrize(
    ("reader", "port", "has"),
    [
        *((UNIQUE, 1, True), (UNIQUE, 2, False), (UNIQUE, -1, False)),
        *((SPLIT, 2, True), (SPLIT, 3, False), (new_node("NoOp", "n"), 0, False)),
        *((UNKNOWN, 9, True), (UNKNOWN, -1, False), (new_node("SimpleMLInferenceOpWithHandle", "t"), 1, True)),
    ],
)
def test_a_node_has_the_ports_of_its_row_in_the_table(reader: Node, port: int, has: bool) -> None:
    assert ops.has_port(reader, port) is has


OUTPUTS = [
    (UNIQUE, "y", 0, 0),
    (UNIQUE, "idx", 0, 1),
    (SPLIT, "output", 2, 2),
    (WHILE, "output", 1, 1),
    (new_node("FusedBatchNormV3", "bn"), "batch_variance", 0, 2),
]


@pytest.mark.parametrize(("reader", "output", "index", "port"), OUTPUTS)
def test_a_functions_name_for_an_output_is_a_port_and_back(reader: Node, output: str, index: int, port: int) -> None:
    assert ops.flat_port(reader, output, index) == port
    assert ops.named_port(reader, port) == (output, index)


@pytest.mark.parametrize(("reader", "output"), [(UNKNOWN, "any"), (UNIQUE, "unheard_of")])
def test_an_output_that_the_table_does_not_know_has_its_index_for_a_port(reader: Node, output: str) -> None:
    assert ops.flat_port(reader, output, 1) == 1


@pytest.mark.parametrize(
    ("reader", "port", "error"),
    [
        (UNIQUE, 2, "node 'u': no output of 'UniqueV2' is known by that number (found 2)"),
        (UNKNOWN, 0, "node 'evil': no output of 'WriteFile' is known by that number (found 0)"),
    ],
)
def test_a_port_without_a_name_is_an_error(reader: Node, port: int, error: str) -> None:
    with pytest.raises(ConversionError) as caught:
        ops.named_port(reader, port)
    assert str(caught.value) == error


@pytest.mark.parametrize(
    ("reference", "tensor"),
    [
        ("arg", Tensor("arg")),
        ("arg:1", Tensor("arg", 1)),
        ("u:idx:0", Tensor("u", 1)),
        ("s:output:2", Tensor("s", 2)),
        ("^u", Tensor("u", -1)),
        ("u:idx:x", Tensor("u:idx:x")),
        ("absent:idx:0", Tensor("absent:idx", 0)),
    ],
)
def test_a_reference_in_a_function_is_read_with_its_nodes(reference: str, tensor: Tensor) -> None:
    assert ops.read_tensor(reference, {"u": UNIQUE, "s": SPLIT}) == tensor


# What may be imported


def faults(*nodes: Node, allowed: tuple[str, ...] = ()) -> list[str]:
    return [str(fault) for fault in ops.faults(Model(Graph(nodes)), allowed)]


RELU = new_node("Relu", "y", ["x"], T=FLOAT)


def test_a_known_op_with_its_inputs_is_fine() -> None:
    assert faults(new_node("Placeholder", "x", dtype=FLOAT), RELU, SPLIT, WHILE, UNIQUE) == []


def test_control_inputs_are_not_counted() -> None:
    assert faults(new_node("Relu", "y", ["x", "^c"], T=FLOAT)) == []


def test_a_control_input_does_not_stand_for_one_that_is_missing() -> None:
    assert faults(new_node("AddV2", "y", ["x", "^c"], T=FLOAT)) == [
        "node 'y': AddV2 with a wrong number of inputs (found 1, expected 2)"
    ]


def test_an_unknown_op_is_refused_once_by_name_with_a_way_out() -> None:
    (fault,) = ops.faults(Model(Graph((UNKNOWN, new_node("WriteFile", "again")))))
    assert str(fault) == "node 'evil': op 'WriteFile' is not one that TensorFlow.js runs"
    assert fault.hint == 'ask for outputs that do not need it, or trust it: allow_ops = ["WriteFile"]'


def test_an_op_that_is_trusted_is_not_refused() -> None:
    assert faults(UNKNOWN, allowed=("WriteFile",)) == []


def test_an_op_that_cannot_be_imported_says_why() -> None:
    (fault,) = faults(new_node("SimpleMLInferenceOpWithHandle", "trees"))
    assert fault.startswith("node 'trees': op 'SimpleMLInferenceOpWithHandle' needs TensorFlow Decision Forests")


def test_ops_in_functions_are_looked_at() -> None:
    body = Function(FunctionDef(), Graph((UNKNOWN,)), {})
    assert len(list(ops.faults(Model(Graph(()), functions={"f": body})))) == 1


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (new_node("Relu", "y", T=FLOAT), "node 'y': Relu with a wrong number of inputs (found 0, expected 1)"),
        (
            new_node("Relu", "y", ["x", "x"], T=FLOAT),
            "node 'y': Relu with a wrong number of inputs (found 2, expected 1)",
        ),
        (new_node("Add", "y", ["a"], T=FLOAT), "node 'y': Add with a wrong number of inputs (found 1, expected 2)"),
        (
            new_node("AddN", "y", ["a"], T=FLOAT, N=2),
            "node 'y': AddN with a wrong number of inputs (found 1, expected 2)",
        ),
        (new_node("Relu", "y", ["x"]), "node 'y': Relu lacks an attribute (expected T)"),
    ],
)
def test_every_node_that_tensorflow_would_refuse_is_reported(wrong: Node, fault: str) -> None:
    assert faults(RELU, wrong) == [fault]
