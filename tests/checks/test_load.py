from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bundler import checks
from bundler.errors import VerificationError
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Node, Tensor, new_node
from bundler.ir.protos import FunctionDef, NameAttrList, OpDef
from bundler.outputs import savedmodel
from bundler.outputs.savedmodel import MetaGraph
from bundler.runtimes.tensorflow import Runtime
from tests.support.models import placeholder

FLOAT, INT = DType.float32, DType.int32
GRAPH = Graph(
    (
        placeholder("x", None, 3),
        new_node("Relu", "y", ["x"], T=FLOAT),
        new_node("Relu", "any", ["p"], T=FLOAT),
        new_node("Placeholder", "p", dtype=FLOAT),
    )
)
X = TensorSpec(Tensor("x"), FLOAT, (None, 3))
OWNERS = {"s": ("m",)}


def bundle(folder: Path, output: TensorSpec) -> MetaGraph:
    """A written MetaGraph of one signature `s`, from `x` to `out`."""
    model = Model(GRAPH, {"s": Signature({"x": X}, {"out": output})}, producer=1395)
    metagraph = MetaGraph(("serve",), model)
    savedmodel.write([metagraph], folder)
    return metagraph


@pytest.mark.parametrize(
    ("tensor", "shape"),
    [("y", (None, 3)), ("y", (5, 3)), ("y", (None, None)), ("y", None), ("any", (1, 2)), ("any", None)],
)
def test_a_bundle_whose_signatures_fit_its_graph_passes(
    tmp_path: Path, runtime: Runtime, tensor: str, shape: Any
) -> None:
    metagraph = bundle(tmp_path, TensorSpec(Tensor(tensor), FLOAT, shape))
    done = [checks.load(tmp_path, metagraph, OWNERS, runtime), checks.graph(metagraph.model, OWNERS, runtime)]
    assert [check.name for check in done] == ["load", "import"]
    assert all(re.fullmatch(r"2 tensors found in \d+\.\d\d s", check.detail) for check in done)


@pytest.mark.parametrize("inputs", [["in"], ["a b", "a:b"], [""]])
def test_inputs_that_python_cannot_pass_are_faults(tmp_path: Path, runtime: Runtime, inputs: list[str]) -> None:
    signature = Signature(dict.fromkeys(inputs, X), {"out": TensorSpec(Tensor("y"), FLOAT, (None, 3))})
    metagraph = MetaGraph(("serve",), Model(GRAPH, {"s": signature}, producer=1395))
    savedmodel.write([metagraph], tmp_path)
    with pytest.raises(VerificationError) as caught:
        checks.load(tmp_path, metagraph, OWNERS, runtime)
    (fault,) = caught.value.faults
    assert fault.where == f"model 'm': signature 's', {inputs[-1]!r}"
    assert fault.what.startswith("tf.saved_model.load cannot pass this input: ")
    assert checks.graph(metagraph.model, OWNERS, runtime).name == "import"


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (TensorSpec(Tensor("y"), INT, (None, 3)), ["TensorFlow knows another dtype (found float32, expected int32)"]),
        (
            TensorSpec(Tensor("y"), FLOAT, (None, 4)),
            ["TensorFlow knows another shape (found (None, 3), expected (None, 4))"],
        ),
        (TensorSpec(Tensor("y"), FLOAT, (3,)), ["TensorFlow knows another shape (found (None, 3), expected (3,))"]),
        (
            TensorSpec(Tensor("y"), None, ()),
            [
                "TensorFlow knows another dtype (found float32, expected None)",
                "TensorFlow knows another shape (found (None, 3), expected ())",
            ],
        ),
    ],
    ids=["dtype", "size", "rank", "both"],
)
def test_a_tensor_that_tensorflow_knows_otherwise_is_a_fault_with_its_place(
    tmp_path: Path, runtime: Runtime, output: TensorSpec, said: list[str]
) -> None:
    with pytest.raises(VerificationError) as caught:
        checks.load(tmp_path, bundle(tmp_path, output), OWNERS, runtime)
    assert [str(fault) for fault in caught.value.faults] == [
        f"model 'm': signature 's', 'out': {what}" for what in said
    ]


@pytest.mark.parametrize(
    ("tensor", "said"),
    [(Tensor("absent"), "there is no node 'absent' in the graph"), (Tensor("y", 1), "node 'y' has no output 1")],
)
def test_a_tensor_that_is_not_there_is_an_error_that_names_it(
    tmp_path: Path, runtime: Runtime, tensor: Tensor, said: str
) -> None:
    with pytest.raises(VerificationError, match=said):
        checks.load(tmp_path, bundle(tmp_path, TensorSpec(tensor, FLOAT, None)), OWNERS, runtime)


def test_other_tags_are_an_error(tmp_path: Path, runtime: Runtime) -> None:
    metagraph = bundle(tmp_path, X)
    with pytest.raises(VerificationError):
        checks.load(tmp_path, metagraph._replace(tags=("train",)), OWNERS, runtime)


@pytest.mark.parametrize(
    ("owners", "place"),
    [
        ({"s": ("m",)}, "model 'm': "),
        ({"s": ("cat",), "t": ("dog",)}, "model 'dog': "),
        ({"s": ("cat",), "t": ("do", "og")}, ""),
    ],
    ids=["the one model", "the model whose scope it names", "another model"],
)
def test_what_tensorflow_refuses_names_the_model(
    owners: dict[str, tuple[str, ...]], place: str, tmp_path: Path, runtime: Runtime
) -> None:
    torn = (*GRAPH.nodes, new_node("Relu", "dog/y", ["dog/x"], T=FLOAT))
    model = Model(Graph(torn), {"s": Signature({"x": X}, {"out": TensorSpec(Tensor("y"), FLOAT)})}, producer=1395)
    savedmodel.write([MetaGraph(("serve",), model)], tmp_path)
    with pytest.raises(VerificationError) as caught:
        checks.load(tmp_path, MetaGraph(("serve",), model), owners, runtime)
    assert str(caught.value) == f"{place}TensorFlow: Node 'dog/y': Unknown input node 'dog/x'"


def calling(*body: Node, gives: DType = FLOAT) -> MetaGraph:
    """A MetaGraph whose one branch has this body, which makes `r` from `a`."""
    signature = OpDef(
        name="f", input_arg=[OpDef.ArgDef(name="a", type=FLOAT)], output_arg=[OpDef.ArgDef(name="r", type=gives)]
    )
    branches = {"then_branch": NameAttrList(name="f"), "else_branch": NameAttrList(name="f")}
    types = {"Tcond": DType.bool, "Tin": [FLOAT], "Tout": [gives]}
    nodes = (
        placeholder("b", dtype=DType.bool),
        placeholder("x", 2),
        new_node("If", "y", ["b", "x"], **types, **branches),
    )
    function = Function(FunctionDef(signature=signature), Graph(body), {"r": Tensor("r")})
    outputs = {"y": TensorSpec(Tensor("y"), gives)}
    return MetaGraph(("serve",), Model(Graph(nodes), {"s": Signature({}, outputs)}, {"f": function}, producer=1395))


def test_a_function_that_tensorflow_can_import_passes(tmp_path: Path, runtime: Runtime) -> None:
    metagraph = calling(new_node("Relu", "r", ["a"], T=FLOAT))
    savedmodel.write([metagraph], tmp_path)
    assert checks.load(tmp_path, metagraph, OWNERS, runtime).name == "load"


@pytest.mark.parametrize(
    ("body", "gives", "fault"),
    [
        (
            new_node("Relu", "r", ["a"], T=INT),
            FLOAT,
            "was passed float from function.0.f/a:0 incompatible with expected int32",
        ),
        (new_node("Relu", "r", ["a"]), FLOAT, "NodeDef missing attr 'T' from NodeDef: {{node function.0.f/r}}"),
        (new_node("Relu", "r", ["a"], T=FLOAT), INT, "TensorFlow knows another dtype (found float32, expected int32)"),
    ],
    ids=["reads another dtype", "lacks an attribute", "gives another dtype"],
)
def test_a_function_that_tensorflow_would_refuse_at_the_first_call_is_an_error(
    body: Node, gives: DType, fault: str, tmp_path: Path, runtime: Runtime
) -> None:
    metagraph = calling(body, gives=gives)
    savedmodel.write([metagraph], tmp_path)
    with pytest.raises(VerificationError, match=re.escape(fault)):
        checks.load(tmp_path, metagraph, OWNERS, runtime)
    with pytest.raises(VerificationError, match=re.escape(fault)):
        checks.graph(metagraph.model, OWNERS, runtime)
