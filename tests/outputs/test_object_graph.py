"""The object graph: the functions that are made of parts of a graph, and which bundles have one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from bundler.disk.shards import Group, Memory
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Node, Tensor, attr, constant, new_node, shape_proto, show
from bundler.ir.protos import FunctionDef, NameAttrList
from bundler.ir.weight import Weight
from bundler.outputs.metagraphs import metagraph
from bundler.outputs.objects import ObjectGraph, object_graph, obstacle
from bundler.outputs.objects.captures import LARGEST_COPY
from tests.support.models import placeholder

FLOAT, INT, STRING = DType.float32, DType.int32, DType.string
SMALL, MEDIUM, LARGE_SHAPE = (3,), (65,), (LARGEST_COPY // 4 + 1,)


def weight(shape: tuple[int, ...], value: float = 0) -> Weight:
    content = np.full(shape, value, np.float32).tobytes()
    return Weight(FLOAT, shape, Group((Memory(content),)), 0, len(content), FLOAT)


def const(name: str, *control: str) -> Node:
    return new_node("Const", name, control, dtype=FLOAT)


def add(name: str, *inputs: str) -> Node:
    return new_node("AddV2", name, inputs, T=FLOAT)


def spec(tensor: str, dtype: DType = FLOAT) -> TensorSpec:
    return TensorSpec(Tensor.parse(tensor), dtype, None)


def model(
    nodes: Sequence[Node],
    large: Sequence[str] = (),
    medium: Sequence[str] = (),
    small: Sequence[str] = (),
    **outputs: str,
) -> Model:
    """A model whose signature `s` takes `x`."""
    shapes = {LARGE_SHAPE: large, MEDIUM: medium, SMALL: small}
    weights = {name: weight(shape) for shape, names in shapes.items() for name in names}
    signature = Signature({"x": spec("x")}, {key: spec(tensor) for key, tensor in outputs.items()})
    return Model(Graph((placeholder("x"), *nodes), weights), {"s": signature}, producer=1395)


def body(objects: ObjectGraph, name: str = "signature") -> list[str]:
    """A function in the notation of the docs: its arguments, its nodes, its results."""
    function = objects.functions[name]
    arguments = ", ".join(argument.name for argument in function.definition.signature.input_arg)
    return [f"def {name}({arguments})", *map(show, function.graph.nodes)]


def made(given: Model) -> ObjectGraph:
    return object_graph(given, ())


def test_a_signature_is_a_function_of_what_its_outputs_need() -> None:
    nodes = [const("w"), const("other"), add("y", "x", "w"), add("z", "y", "other")]
    objects = made(model(nodes, small=["w", "other"], y="y"))
    assert body(objects) == [
        "def signature(x)",
        "w = Const()",
        "y = AddV2(x, w)",
        "result_0 = Identity(y)",
    ]
    assert list(objects.functions["signature"].graph.weights) == ["w"]


def test_a_large_constant_is_taken_from_the_main_graph() -> None:
    objects = made(model([const("w"), add("y", "x", "w:0", "^w")], large=["w"], y="y"))
    assert body(objects) == ["def signature(x, capture_0)", "y = AddV2(x, capture_0)", "result_0 = Identity(y)"]
    (captured,) = objects.message.concrete_functions["signature"].bound_inputs
    assert objects.message.nodes[captured].constant.operation == "w"


def storing(given: Model, stored: DType, elements: int) -> Model:
    """The model with a weight for its constant `w`."""
    content = np.zeros(elements, stored.numpy).tobytes()
    weights = {"w": Weight(FLOAT, (elements,), Group((Memory(content),)), 0, len(content), stored)}
    return replace(given, graph=replace(given.graph, weights=weights))


def stored_as(stored: DType, elements: int) -> Model:
    """A model that adds a constant of the branch `x` to it. The name of its float16 is taken."""
    nodes = [const("w", "^x"), add("w/half", "x", "w:0"), add("y", "w/half", "w")]
    return storing(model(nodes, y="y"), stored, elements)


def test_a_constant_that_is_stored_as_float16_is_one_in_functions_too() -> None:
    objects = made(stored_as(DType.float16, 1025))
    assert body(objects) == [
        "def signature(x)",
        "w/half_1 = Const()",
        "w = Cast(w/half_1)",
        "w/half = AddV2(x, w:0)",
        "y = AddV2(w/half, w)",
        "result_0 = Identity(y)",
    ]
    ((name, half),) = objects.functions["signature"].graph.weights.items()
    assert (name, half.dtype, half.nbytes) == ("w/half_1", DType.float16, 2050)


@pytest.mark.parametrize(
    ("stored", "elements", "why"),
    [
        (DType.float16, 1024, "it is small"),
        (FLOAT, 1025, "it is stored as float32"),
        (DType.uint8, 1025, "it is stored as uint8"),
    ],
)
def test_other_constants_are_copied_as_they_are(stored: DType, elements: int, why: str) -> None:
    ((name, weight),) = made(stored_as(stored, elements)).functions["signature"].graph.weights.items()
    assert (name, weight.dtype) == ("w", FLOAT), why


@pytest.mark.parametrize(
    ("stored", "elements", "is_copied"),
    [(FLOAT, 8_192, True), (FLOAT, 8_193, False), (DType.float16, 16_384, True), (DType.float16, 16_385, False)],
)
def test_a_function_holds_32_kib_of_a_constant_and_no_more(stored: DType, elements: int, is_copied: bool) -> None:
    objects = made(stored_as(stored, elements))
    assert bool(objects.functions["signature"].graph.weights) == is_copied


def test_functions_lack_attributes_that_tensorflow_adds_by_itself() -> None:
    plain = {"T": FLOAT, "strides": [1, 1, 1, 1], "padding": "SAME"}
    implied = {"data_format": "NHWC", "dilations": [1, 1, 1, 1], "explicit_paddings": [], "use_cudnn_on_gpu": True}
    pool = {"T": FLOAT, "ksize": [1, 2, 2, 1], "strides": [1, 1, 1, 1], "padding": "SAME", "data_format": "NCHW"}
    nodes = [
        const("w"),
        new_node("Conv2D", "c", ["x", "w"], **plain, **implied),
        new_node("Conv2D", "d", ["c", "w"], **plain, **{**implied, "dilations": [1, 2, 2, 1]}),
        new_node("MaxPool", "y", ["d"], **pool, explicit_paddings=[]),
    ]
    given = model(nodes, small=["w"], y="y")
    objects = made(replace(given, signatures={**given.signatures, "t": given.signatures["s"]}))
    for function in ("signature", "signature_1"):
        by_name = objects.functions[function].graph.by_name
        assert {name: sorted(by_name[name].attr) for name in "cdy"} == {
            "c": ["T", "padding", "strides"],
            "d": ["T", "dilations", "padding", "strides"],
            "y": sorted(pool),
        }
    assert given.graph.by_name["c"].attr.keys() == plain.keys() | implied.keys()  # servers get them


def test_nodes_that_make_one_table_share_its_object() -> None:
    table = {"shared_name": "t", "key_dtype": INT, "value_dtype": FLOAT}
    nodes = [
        *(new_node("HashTableV2", name, **table) for name in ("t1", "t2")),
        constant("keys", np.array([1], np.int32)),
        constant("values", np.array([2], np.float32)),
        new_node("LookupTableImportV2", "fill", ["t1", "keys", "values"], Tin=INT, Tout=FLOAT),
        new_node("Cast", "asked", ["x"], SrcT=FLOAT, DstT=INT),
        new_node("LookupTableFindV2", "y", ["t2", "asked", "values"], Tin=INT, Tout=FLOAT),
    ]
    objects = made(replace(model(nodes, y="y"), initializers=("fill",)))
    assert body(objects) == [
        "def signature(x, capture_0)",
        "values = Const()",
        "asked = Cast(x)",
        "y = LookupTableFindV2(capture_0, asked, values)",
        "result_0 = Identity(y)",
    ]
    assert body(objects, "create_table") == ["def create_table()", "t1 = HashTableV2()", "result_0 = Identity(t1)"]
    assert body(objects, "fill_table") == [
        "def fill_table(capture_0)",
        "keys = Const()",
        "values = Const()",
        "fill = LookupTableImportV2(capture_0, keys, values)",
        "t1/filled = Const(^fill)",
        "result_0 = Identity(t1/filled)",
    ]
    bound = {key: list(each.bound_inputs) for key, each in objects.message.concrete_functions.items()}
    assert bound["fill_table"] == bound["signature"]


def test_a_large_constant_of_a_branch_waits_where_it_waited() -> None:
    nodes = [new_node("Identity", "taken", ["x"], T=FLOAT), const("w", "^taken"), add("y", "x", "w")]
    assert body(made(model(nodes, large=["w"], y="y"))) == [
        "def signature(x, capture_0)",
        "taken = Identity(x)",
        "w = Identity(capture_0, ^taken)",
        "y = AddV2(x, w)",
        "result_0 = Identity(y)",
    ]


@pytest.mark.parametrize(
    ("stored", "elements", "why"),
    [(FLOAT, 8_193, "it is stored as float32"), (DType.float16, 25_600, "TensorFlow would not fold a Cast")],
)
def test_a_constant_in_a_loop_is_copied_as_it_is(stored: DType, elements: int, why: str) -> None:
    nodes = [
        new_node("Enter", "in", ["x"], T=FLOAT, frame_name="loop"),
        const("w", "^in"),
        add("y", "in", "w"),
        new_node("Exit", "out", ["y"], T=FLOAT),
    ]
    objects = made(storing(model(nodes, y="out"), stored, elements))
    assert body(objects)[:3] == ["def signature(x)", "in = Enter(x)", "w = Const(^in)"], why
    ((name, weight),) = objects.functions["signature"].graph.weights.items()
    assert (name, weight.dtype) == ("w", FLOAT), why


def test_callers_may_feed_any_tensor() -> None:
    nodes = [new_node("Split", "both", ["axis", "x"], T=FLOAT, num_split=2), add("y", "both:1", "both", "^both")]
    given = model([constant("axis", np.array(0, np.int32)), *nodes], y="y")
    fed = Signature({"second": spec("both:1"), "x": spec("x")}, given.signatures["s"].outputs)
    assert body(made(replace(given, signatures={"s": fed}))) == [
        "def signature(second, x)",
        "axis = Const()",
        "both = Split(axis, x)",
        "y = AddV2(second, both, ^both)",
        "result_0 = Identity(y)",
    ]


def test_to_wait_for_an_input_is_no_need_of_its_own() -> None:
    assert body(made(model([add("y", "x", "x:0", "^x")], y="y"))) == [
        "def signature(x)",
        "y = AddV2(x, x)",
        "result_0 = Identity(y)",
    ]


def test_an_output_may_be_an_input_and_what_is_taken_from_outside() -> None:
    objects = made(model([const("w")], large=["w"], again="x", w="w"))
    assert body(objects) == [
        "def signature(x, capture_0)",
        "result_0 = Identity(x)",
        "result_1 = Identity(capture_0)",
    ]


def test_names_of_arguments_are_those_that_tensorflow_allows_and_no_node_has() -> None:
    nodes = [placeholder("a:0"), placeholder("b"), add("y", "a:0:0", "b"), add("capture_0", "y", "w"), const("w")]
    given = model(nodes, large=["w"], y="capture_0")
    inputs = {"Ä": spec("a:0:0"), "1": spec("b")}
    objects = made(replace(given, signatures={"s": Signature(inputs, given.signatures["s"].outputs)}))
    assert body(objects)[0] == "def signature(arg_1, arg__, capture_0_1)"


def test_functions_have_names_of_their_own() -> None:
    signature = model([], y="x").signatures["s"]
    taken = Function(FunctionDef(), Graph(()), {})
    given = replace(model([], y="x"), signatures={"a": signature, "b": signature}, functions={"signature": taken})
    assert list(made(given).functions) == ["signature_1", "signature_2"]


FACES = [
    *(const(name) for name in ("w", "v")),
    add("c", "x", "w"),
    new_node("Split", "y", ["c", "v"], T=FLOAT, num_split=2),
    placeholder("photo"),
    new_node("Identity", "both/1.y/x", ["photo"], T=FLOAT),
    add("both/1.y/c", "both/1.y/x", "w:0"),
    new_node("Split", "both/1.y/y", ["both/1.y/c", "v"], T=FLOAT, num_split=2),
    add("end", "both/1.y/y:1", "w", "^both/1.y/c"),
]


def composed(*changed: Node, **tensors: str) -> Model:
    """Two signatures: `both` takes `photo`, and has the nodes of `one` once more in the scope of a step."""
    by_name = {node.name: node for node in changed}
    nodes = [by_name.pop(node.name, node) for node in FACES]
    given = model([*nodes, *by_name.values()], small=["w"], large=["v"])
    one = Signature({"x": spec("x")}, {"a": spec("y"), "b": spec("y:1")})
    end = TensorSpec(Tensor("end"), FLOAT, (2,))
    return replace(given, signatures={"one": one, "both": Signature({"photo": spec("photo")}, {"end": end})})


def calls(objects: ObjectGraph, name: str = "signature") -> list[str]:
    """The calls of signatures in a function."""
    return [node.name for node in objects.functions[name].graph.nodes if node.op == "StatefulPartitionedCall"]


def test_a_function_that_holds_another_one_calls_it() -> None:
    objects = made(composed())
    assert body(objects, "signature_1")[1:] == body(made(model(FACES, small=["w"], large=["v"], a="y", b="y:1")))[1:]
    assert body(objects) == [
        "def signature(photo, capture_0)",
        "w = Const()",
        "both/1.y/x = Identity(photo)",
        "both/1.y = StatefulPartitionedCall(both/1.y/x, capture_0)",
        "end = AddV2(both/1.y:1, w, ^both/1.y)",
        "result_0 = Identity(end)",
    ]


def test_a_call_takes_and_gives_what_its_function_does() -> None:
    function = made(composed()).functions["signature"]
    call, end = function.graph.by_name["both/1.y"], function.graph.by_name["result_0"]
    assert attr(call, "f").name == "signature_1"
    assert (attr(call, "Tin"), attr(call, "Tout")) == ([FLOAT, FLOAT], [FLOAT, FLOAT])
    assert [shape.unknown_rank for shape in call.attr["_output_shapes"].list.shape] == [True, True]
    assert end.attr["_output_shapes"].list.shape[0] == shape_proto((2,))  # which the call does not know


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (add("end", "both/1.y/y:1", "both/1.y/c"), "something else than a result is read"),
        (add("both/1.y/c", "both/1.y/x", "v"), "a node reads another constant"),
        (add("both/1.y/c", "w", "both/1.y/x"), "a node reads the same in another order"),
        (add("both/1.y/c", "both/1.y/x", "w", "^w"), "a node has one input more"),
        (new_node("Sub", "both/1.y/c", ["both/1.y/x", "w"], T=FLOAT), "a node has another op"),
        (
            new_node("Split", "both/1.y/y", ["both/1.y/c", "v"], T=FLOAT, num_split=3),
            "a node has another attribute",
        ),
        (new_node("Split", "both/1.y/y", ["both/1.y/x", "v"], T=FLOAT, num_split=2), "a node is missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_resembles_another_function_is_no_call_of_it(changed: Node, why: str) -> None:
    assert calls(made(composed(changed))) == [], why


def test_an_input_that_is_fed_twice_is_fed_with_one_tensor() -> None:
    """The same step, whose callee reads its input in two places."""
    fed = [add("both/1.y/c", "both/1.y/x", "both/1.y/x"), add("c", "x", "x")]
    assert calls(made(composed(*fed))) == ["both/1.y"]
    fed[0] = add("both/1.y/c", "both/1.y/x", "photo")
    assert calls(made(composed(*fed))) == []


def test_what_is_taken_from_outside_is_the_same() -> None:
    """The caller has what the callee takes, and reads something else in its place."""
    end = add("end", "both/1.y/y:1", "v")
    assert calls(made(composed(end))) == ["both/1.y"]
    other = new_node("Split", "both/1.y/y", ["both/1.y/c", "u"], T=FLOAT, num_split=2)
    given = composed(end, other, const("u"))
    weights = {**given.graph.weights, "u": weight(LARGE_SHAPE)}
    assert calls(made(replace(given, graph=Graph(given.graph.nodes, weights)))) == []


def test_a_callee_reads_all_of_its_inputs() -> None:
    given = composed(placeholder("unread"))
    one = given.signatures["one"]
    more = replace(one, inputs={**one.inputs, "unread": spec("unread")})
    assert calls(made(replace(given, signatures={**given.signatures, "one": more}))) == []


def test_what_a_node_is_fed_with_comes_from_elsewhere() -> None:
    """The callee reads its input once, the caller reads a node of its own in that place."""
    callee = [add("c", "w", "w"), add("y", "c", "x")]
    caller = [add("both/1.y/c", "w", "w"), add("both/1.y/y", "both/1.y/c", "both/1.y/c")]
    assert calls(made(composed(*callee, *caller))) == []


def test_a_result_that_the_caller_does_not_have_prevents_a_call() -> None:
    """The callee also returns a large constant, which the caller does not read."""
    given = composed()
    outputs = {**given.signatures["one"].outputs, "c": spec("unread")}
    one = replace(given.signatures["one"], outputs=outputs)
    unread = {**given.graph.weights, "unread": weight(LARGE_SHAPE)}
    graph = Graph((*given.graph.nodes, const("unread")), unread)
    assert calls(made(replace(given, graph=graph, signatures={**given.signatures, "one": one}))) == []


@pytest.mark.parametrize(("value", "expected"), [(0, ["both/1.y"]), (1, [])])
def test_a_constant_that_models_do_not_share_is_compared_by_its_weight(value: float, expected: list[str]) -> None:
    """Control edges bind it to a branch of its model."""
    read = [new_node("Split", f"{at}y", [f"{at}u", "v"], T=FLOAT, num_split=2) for at in ("", "both/1.y/")]
    given = composed(*read, const("u", "^c"), const("both/1.y/u", "^both/1.y/c"))
    weights = {"u": weight(SMALL), "both/1.y/u": weight(SMALL, value)}
    given = replace(given, graph=Graph(given.graph.nodes, {**given.graph.weights, **weights}))
    assert calls(made(given)) == expected


def test_a_call_of_a_signature_that_calls_is_one_call() -> None:
    """The nodes of the inner callee are in its caller's scope, and once more in that of the caller's caller."""
    inner = [node for node in FACES if node.name == "photo" or node.name.startswith("both/") or node.name == "end"]
    outer = [new_node("Identity", "all/0.both/photo", ["image"], T=FLOAT)]
    names = {node.name: f"all/0.both/{node.name}" for node in inner}
    for node in inner[1:]:
        outer.append(node.reading(lambda tensor: tensor._replace(node=names.get(tensor.node, tensor.node))))
        outer[-1] = outer[-1]._replace(name=names[node.name])
    given = composed(placeholder("image"), *outer)
    signatures = {**given.signatures, "all": Signature({"image": spec("image")}, {"end": spec("all/0.both/end")})}
    objects = made(replace(given, signatures=signatures))
    assert body(objects) == [
        "def signature(image, capture_0)",
        "all/0.both/photo = Identity(image)",
        "all/0.both = StatefulPartitionedCall(all/0.both/photo, capture_0)",
        "result_0 = Identity(all/0.both)",
    ]
    assert calls(objects, "signature_1") == ["both/1.y"]


def test_constants_that_several_functions_hold_are_in_one_that_these_call() -> None:
    nodes = [
        *(const(name) for name in ("w", "v", "own", "tiny")),
        add("y", "x", "w", "v:0", "^w", "tiny"),
        add("z", "y", "own", "^v"),
    ]
    given = model(nodes, small=["tiny"], medium=["w", "v", "own"], y="y")
    one = given.signatures["s"]
    two = replace(one, outputs={"z": spec("z")})
    objects = made(replace(given, signatures={"a": one, "b": two}))
    assert body(objects, "signature") == [
        "def signature(x)",
        "constants = PartitionedCall()",
        "tiny = Const()",
        "y = AddV2(x, constants, constants:1, ^constants, tiny)",
        "result_0 = Identity(y)",
    ]
    assert body(objects, "signature_1") == [
        "def signature_1(x)",
        "constants = PartitionedCall()",
        "own = Const()",
        "tiny = Const()",
        "y = AddV2(x, constants, constants:1, ^constants, tiny)",
        "z = AddV2(y, own, ^constants)",
        "result_0 = Identity(z)",
    ]
    assert body(objects, "constants") == [
        "def constants()",
        "w = Const()",
        "v = Const()",
        "result_0 = Identity(w)",
        "result_1 = Identity(v)",
    ]
    assert list(objects.functions["constants"].graph.weights) == ["w", "v"]


def test_calls_of_constants_have_names_of_their_own() -> None:
    nodes = [const("w"), add("constants", "x", "w"), const("v"), add("z", "constants", "v"), add("only_v", "v", "v")]
    given = model(nodes, medium=["w", "v"], y="constants")
    one, (three, two) = given.signatures["s"], ({"z": spec("z")}, {"v": spec("only_v")})
    signatures = {"a": one, "b": replace(one, outputs=three), "c": replace(one, outputs=two)}
    objects = made(replace(given, signatures=signatures))
    assert body(objects, "signature_1") == [
        "def signature_1(x)",
        "constants_1 = PartitionedCall()",
        "constants_2 = PartitionedCall()",
        "constants = AddV2(x, constants_1)",
        "z = AddV2(constants, constants_2)",
        "result_0 = Identity(z)",
    ]
    assert {name: list(each.graph.weights) for name, each in objects.functions.items()} == {
        "signature": [],
        "signature_1": [],
        "signature_2": [],
        "constants": ["w"],
        "constants_1": ["v"],
    }


CALL = NameAttrList(name="f")
CALL.attr["inner"].func.name = "g"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        pytest.param(model([add("y", "x", "x")], y="y"), "", id="none"),
        pytest.param(
            model([new_node("Bessel", "y", ["x"])], y="y"),
            "the names of the outputs of 'Bessel' are not known",
            id="an op without a row",
        ),
        pytest.param(
            replace(
                model([], y="x"),
                functions={"f": Function(FunctionDef(), Graph((new_node("HashTableV2", "t"),)), {})},
            ),
            "a function makes a hash table",
            id="a table in a function",
        ),
        pytest.param(
            replace(
                model([new_node("StatelessIf", "y", ["x"], then_branch=CALL)], y="y"),
                functions={"f": Function(FunctionDef(), Graph(()), {})},
            ),
            "a function is an attribute of another",
            id="a function with functions",
        ),
    ],
)
def test_what_python_could_not_import_is_known_before(given: Model, why: str) -> None:
    assert obstacle(given) == why


def test_variables_are_objects_with_their_keys_in_the_checkpoint() -> None:
    given = model([const("w"), add("y", "x", "w")], small=["w"], y="y")
    found = metagraph(("serve",), given, in_checkpoint=True, objects=True)
    (variable,) = found.variables
    assert (variable.name, variable.key) == ("w", "w/.ATTRIBUTES/VARIABLE_VALUE")
    assert found.objects is not None
    assert body(found.objects) == [
        "def signature(x, capture_0)",
        "w = ReadVariableOp(capture_0)",
        "y = AddV2(x, w)",
        "result_0 = Identity(y)",
    ]
    root = {child.local_name: child.node_id for child in found.objects.message.nodes[0].children}
    assert list(root) == ["variables", "trainable_variables", "signatures"]
    (item,) = found.objects.message.nodes[root["variables"]].children
    assert found.objects.message.nodes[item.node_id].variable.name == "w"
