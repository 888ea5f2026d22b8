"""Half precision becomes float32 inside of a model; what callers see of it stays."""

from __future__ import annotations

import numpy as np
import pytest

from bundler.disk.shards import Group, Memory
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Node, Tensor, attr, inline_value, new_node, show
from bundler.ir.protos import FunctionDef, OpDef, TensorProto
from bundler.ir.weight import Weight
from bundler.rewrites.rules.precision import compute_in_float32

FLOAT, HALF, BRAIN = DType.float32, DType.float16, DType.bfloat16


def model(*nodes: Node, **specs: DType) -> Model:
    """A model whose signature has an input `x` and outputs of these dtypes; `y_1` is `y:1`."""
    tensors = {key: TensorSpec(Tensor(key[0], int(key[2:] or 0)), dtype) for key, dtype in specs.items()}
    inputs = {key: spec for key, spec in tensors.items() if key == "x"}
    return Model(Graph(nodes), {"": Signature(inputs, {key: spec for key, spec in tensors.items() if key != "x"})})


def shown(made: Model) -> list[str]:
    return [show(each, *sorted(each.attr.keys() & {"T", "dtype", "SrcT", "DstT"})) for each in made.graph.nodes]


@pytest.mark.parametrize("dtype", [HALF, BRAIN])
def test_an_input_and_an_output_of_half_precision_stay_so(dtype: DType) -> None:
    made = compute_in_float32(
        model(new_node("Placeholder", "x", dtype=dtype), new_node("Neg", "y", ["x"], T=dtype), x=dtype, y=dtype)
    )
    assert shown(made) == [
        f"x = Placeholder(dtype={dtype})",
        f"x/float32 = Cast(x, DstT=float32, SrcT={dtype})",
        "y = Neg(x/float32, T=float32)",
        f"y/{dtype} = Cast(y, DstT={dtype}, SrcT=float32)",
    ]
    assert made.signatures[""].outputs["y"] == TensorSpec(Tensor(f"y/{dtype}"), dtype)
    assert made.notes == ("half precision is computed in float32, as in TensorFlow.js",)


def test_what_a_signature_declares_float32_is_float32() -> None:
    made = compute_in_float32(
        model(new_node("Placeholder", "x", dtype=HALF), new_node("Neg", "y", ["x"], T=HALF), x=FLOAT, y=FLOAT)
    )
    assert shown(made) == ["x = Placeholder(dtype=float32)", "y = Neg(x, T=float32)"]


def test_each_output_of_a_node_is_cast_and_an_output_that_is_an_input_is_not() -> None:
    split = new_node("Unpack", "y", ["x"], T=HALF, num=2)
    given = model(new_node("Placeholder", "x", dtype=HALF), split, x=HALF, y=HALF, y_1=HALF)
    twice = {
        **given.signatures[""].outputs,
        "same": TensorSpec(Tensor("x"), HALF),
        "again": TensorSpec(Tensor("y"), HALF),
    }
    made = compute_in_float32(Model(given.graph, {"": Signature(given.signatures[""].inputs, twice)}))
    outputs = {key: str(spec.tensor) for key, spec in made.signatures[""].outputs.items()}
    assert outputs == {"y": "y/float16", "y_1": "y/float16_1", "same": "x", "again": "y/float16"}
    assert len(made.graph.by_name) == len(made.graph.nodes)


def test_a_model_without_half_precision_stays_as_it_is() -> None:
    given = model(new_node("Placeholder", "x", dtype=FLOAT), new_node("Neg", "y", ["x"], T=FLOAT), x=FLOAT, y=FLOAT)
    assert compute_in_float32(given) is given


def test_lists_of_dtypes_are_widened_too() -> None:
    passed = new_node("IdentityN", "y", ["x", "x"], T=[HALF, DType.int32, BRAIN])
    assert attr(compute_in_float32(model(passed)).graph.nodes[0], "T") == [FLOAT, DType.int32, FLOAT]


VALUES = np.array([1.5, -0.25, 65504], np.float32)


@pytest.mark.parametrize(
    "tensor",
    [
        TensorProto(dtype=HALF, tensor_content=VALUES.astype("<f2").tobytes()),
        TensorProto(dtype=HALF, half_val=VALUES.astype("<f2").view("<u2").tolist()),
        TensorProto(dtype=BRAIN, half_val=[0x3FC0, 0xBE80, 0x4780]),
        TensorProto(dtype=BRAIN, tensor_content=np.array([0x3FC0, 0xBE80, 0x4780], "<u2").tobytes()),
    ],
)
def test_a_constant_in_the_graph_keeps_its_values(tensor: TensorProto) -> None:
    tensor.tensor_shape.dim.add(size=3)
    right = [1.5, -0.25, 65504.0 if tensor.dtype == HALF else 65536.0]
    made = compute_in_float32(model(new_node("Const", "c", dtype=DType(tensor.dtype), value=tensor))).graph.nodes[0]
    value = attr(made, "value")
    assert (attr(made, "dtype"), value.dtype) == (FLOAT, FLOAT)
    assert (list(value.float_val) or inline_value(value).tolist()) == right  # type: ignore[union-attr]


def test_a_weight_has_the_precision_that_its_file_has() -> None:
    stored = np.array([0.1], np.float32)
    weight = Weight(HALF, (1,), Group((Memory(stored.tobytes()),)), 0, 4, FLOAT)
    graph = Graph((new_node("Const", "w", dtype=HALF),), {"w": weight})
    assert compute_in_float32(Model(graph)).graph.weights["w"].array() == stored


def test_a_function_takes_and_gives_float32() -> None:
    argument, result = OpDef.ArgDef(name="a", type=HALF), OpDef.ArgDef(name="r", type=HALF)
    definition = FunctionDef(signature=OpDef(name="f", input_arg=[argument], output_arg=[result]))
    body = Function(definition, Graph((new_node("Neg", "n", ["a"], T=HALF),)), {"r": Tensor("n")})
    made = compute_in_float32(Model(Graph(()), functions={"f": body})).functions["f"]
    signature = made.definition.signature
    assert [signature.input_arg[0].type, signature.output_arg[0].type, attr(made.graph.nodes[0], "T")] == [FLOAT] * 3
    assert definition.signature.input_arg[0].type == HALF
