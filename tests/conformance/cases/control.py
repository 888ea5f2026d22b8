"""Cases of control.json: branches and loops of both versions, tensor arrays, tensor lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, Value, new_node, shape_proto
from bundler.ir.protos import FunctionDef, NameAttrList, OpDef, TensorProto
from tests.conformance.case import Cannot, Case, Const, Differs, case

__all__ = ["CASES"]

FLOAT, INT, BOOL, RESOURCE = DType.float32, DType.int32, DType.bool, DType.resource
ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)
ONE_OUTPUT = Cannot("it gives the last element in place of the rest, and nothing else")


# Version 1: Switch and Merge, and loops of them -------------------------------------------------------


def switched(dtype: DType = FLOAT) -> list[Node]:
    """The input x where x1, else -x."""
    return [
        new_node("Switch", "switch", ["x", "x1"], T=dtype),
        new_node("Neg", "no", ["switch"], T=dtype),
        new_node("Identity", "yes", ["switch:1"], T=dtype),
        new_node("Merge", "y", ["no", "yes"], T=dtype, N=2),
    ]


def loop(turn: Sequence[Node], start: str = "x", name: str = "loop", result: str = "y") -> list[Node]:
    """While `start` < x1: the nodes of one `turn`, from `{name}/now` to `{name}/new`."""
    inner = {key: f"{name}/{key}" for key in ("enter", "limit", "merge", "less", "go", "switch", "now", "new", "next")}
    return [
        new_node("Enter", inner["enter"], [start], T=FLOAT, frame_name=name),
        new_node("Enter", inner["limit"], ["x1"], T=FLOAT, frame_name=name, is_constant=True),
        new_node("Merge", inner["merge"], [inner["enter"], inner["next"]], T=FLOAT, N=2),
        new_node("Less", inner["less"], [inner["merge"], inner["limit"]], T=FLOAT),
        new_node("LoopCond", inner["go"], [inner["less"]]),
        new_node("Switch", inner["switch"], [inner["merge"], inner["go"]], T=FLOAT),
        new_node("Identity", inner["now"], [inner["switch"] + ":1"], T=FLOAT),
        *turn,
        new_node("NextIteration", inner["next"], [inner["new"]], T=FLOAT),
        new_node("Exit", result, [inner["switch"]], T=FLOAT),
    ]


DOUBLE = new_node("AddV2", "loop/new", ["loop/now", "loop/now"], T=FLOAT)
ADDED = new_node("AddV2", "loop/new", ["loop/now", "loop/step"], T=FLOAT)
ENTERED = new_node("Enter", "loop/step", ["x2"], T=FLOAT, frame_name="loop", is_constant=True)


def version_1() -> Iterator[Case]:
    for op in ("Switch", "Merge"):
        for name, value, dtype in (("float32", ROWS, FLOAT), ("int32", [[3, -4]], INT)):
            for taken in (True, False):
                yield case(op, f"{name} {taken}", value, taken, nodes=switched(dtype), outputs=["y"])
    for op in ("Enter", "Exit", "LoopCond", "NextIteration"):
        for name, start, limit in (("many turns", 1.0, 100.0), ("one turn", 1.0, 2.0), ("no turn", 5.0, 3.0)):
            yield case(op, name, start, limit, nodes=loop([DOUBLE]), outputs=["y"])
        yield case(op, "entered", 1.0, 10.0, 2.5, nodes=loop([ENTERED, ADDED]), outputs=["y"])
    tied = new_node("Const", "x2", ["^loop/now"], dtype=FLOAT, value=TensorProto(dtype=FLOAT))
    body = [tied, new_node("AddV2", "loop/new", ["loop/now", "x2"], T=FLOAT)]
    yield case("Enter", "weight in the body", 1.0, 10.0, Const(2.5), nodes=loop(body), outputs=["y"])
    outer = loop([DOUBLE]) + loop([new_node("Square", "again/new", ["again/now"], T=FLOAT)], "y", "again", "z")
    yield case("Enter", "one after the other", 1.5, 10.0, nodes=outer, outputs=["z"])
    yield case("Enter", "weight", 1.0, 10.0, Const(2.5), nodes=loop([ENTERED, ADDED]), outputs=["y"])


# Version 2: functions ---------------------------------------------------------------------------------


def function(name: str, arguments: Mapping[str, DType], result: str, dtype: DType, *nodes: Node) -> FunctionDef:
    """A function of the arguments in order, with one result, the output `result` of its nodes."""
    inputs = [OpDef.ArgDef(name=key, type=kind) for key, kind in arguments.items()]
    signature = OpDef(name=name, input_arg=inputs, output_arg=[OpDef.ArgDef(name="result", type=dtype)])
    return FunctionDef(signature=signature, node_def=[each.message for each in nodes], ret={"result": result})


PAIR = {"a": FLOAT, "b": FLOAT}
BRANCHES = (
    function("sum", PAIR, "made:z:0", FLOAT, new_node("AddV2", "made", ["a", "b"], T=FLOAT)),
    function("product", PAIR, "made:z:0", FLOAT, new_node("Mul", "made", ["a", "b"], T=FLOAT)),
)
FIRST = function("first", PAIR, "a", FLOAT)


def branch(op: str, no: str = "product", kind: DType = BOOL) -> Node:
    funcs: dict[str, Value] = {"then_branch": NameAttrList(name="sum"), "else_branch": NameAttrList(name=no)}
    return new_node(op, "y", ["x", "x1", "x2"], Tcond=kind, Tin=[FLOAT, FLOAT], Tout=[FLOAT], **funcs)


def repeated(op: str) -> tuple[Node, list[FunctionDef]]:
    """Add x2 to x until it is x1 or more."""
    triple = {"now": FLOAT, "limit": FLOAT, "step": FLOAT}
    goes = function("goes", triple, "less:z:0", BOOL, new_node("Less", "less", ["now", "limit"], T=FLOAT))
    turn = function("turn", triple, "made:z:0", FLOAT, new_node("AddV2", "made", ["now", "step"], T=FLOAT))
    for key in ("limit", "step"):
        turn.signature.output_arg.add(name=f"{key}_out", type=FLOAT)
        turn.ret[f"{key}_out"] = key
    funcs: dict[str, Value] = {"cond": NameAttrList(name="goes"), "body": NameAttrList(name="turn")}
    return new_node(op, "y", ["x", "x1", "x2"], T=[FLOAT] * 3, **funcs), [goes, turn]


def version_2() -> Iterator[Case]:
    for op in ("If", "StatelessIf"):
        for taken in (True, False):
            yield case(op, str(taken), taken, ROWS, ROWS, nodes=[branch(op)], functions=BRANCHES)
        one = (*BRANCHES, FIRST)
        yield case(op, "an argument", False, ROWS, ROWS, nodes=[branch(op, "first")], functions=one)
        yield case(op, "int32", 3, ROWS, ROWS, nodes=[branch(op, kind=INT)], functions=BRANCHES)
    for op in ("While", "StatelessWhile"):
        turns, functions = repeated(op)
        for name, start, limit in (("many turns", 1.0, 9.0), ("one turn", 1.0, 1.5), ("no turn", 5.0, 3.0)):
            yield case(op, name, start, limit, 1.5, nodes=[turns], functions=functions)
        yield case(op, "weight", 1.0, 9.0, Const(1.5), nodes=[turns], functions=functions)


# Tensor arrays: x is the size -------------------------------------------------------------------------


def tensor_array(*nodes: Node, **attrs: Value) -> list[Node]:
    return [new_node("TensorArrayV3", "array", ["x"], dtype=FLOAT, **attrs), *nodes]


def scattered() -> Node:
    return new_node("TensorArrayScatterV3", "flow", ["array", "x1", "x2", "array:1"], T=FLOAT)


def arrays() -> Iterator[Case]:
    size, order, rows = Const(3), Const([2, 0, 1]), ROWS
    written = [
        new_node("TensorArrayWriteV3", "first", ["array", "x1", "x2", "array:1"], T=FLOAT),
        new_node("TensorArrayWriteV3", "flow", ["array", "x3", "x4", "first"], T=FLOAT),
    ]
    read = new_node("TensorArrayReadV3", "y", ["array", "x3", "flow"], dtype=FLOAT)
    two = (size, Const(0), [1.0, 2.0], Const(1), [3.0, 4.0])
    gather = new_node("TensorArrayGatherV3", "y", ["array", "x1", "flow"], dtype=FLOAT, element_shape=shape_proto((2,)))
    concat = new_node("TensorArrayConcatV3", "y", ["array", "flow"], dtype=FLOAT)
    sized = new_node("TensorArraySizeV3", "y", ["array", "flow"])
    fixed: dict[str, Value] = {"element_shape": shape_proto((2,)), "identical_element_shapes": True}
    yield case("TensorArrayWriteV3", "two", *two, nodes=tensor_array(*written, read))
    yield case("TensorArrayReadV3", "kept", *two, nodes=tensor_array(*written, read, clear_after_read=False))
    yield case("TensorArrayV3", "element shape", *two, nodes=tensor_array(*written, read, **fixed))
    yield case("TensorArrayV3", "grows", Const(0), *two[1:], nodes=tensor_array(*written, read, dynamic_size=True))
    yield case("TensorArrayV3", "name", *two, nodes=tensor_array(*written, read, tensor_array_name="rows"))
    for op in ("TensorArrayScatterV3", "TensorArrayGatherV3"):
        yield case(op, "all", size, order, rows, nodes=tensor_array(scattered(), gather))
        yield case(op, "fixed shape", size, order, rows, nodes=tensor_array(scattered(), gather, **fixed))
    all_rows = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    joined = ["y"]
    yield case(
        "TensorArrayConcatV3", "rows", size, order, all_rows, nodes=tensor_array(scattered(), concat), outputs=joined
    )
    split = new_node("TensorArraySplitV3", "flow", ["array", "x1", "x2", "array:1"], T=FLOAT)
    for name, lengths, first in (("equal", [1, 1, 1], 1), ("unequal", [1, 2, 0], None)):
        inputs = (size, rows, Const(lengths, "int64"))
        nodes = tensor_array(split, concat, element_shape=shape_proto((first, 2)))
        yield case("TensorArraySplitV3", name, *inputs, nodes=nodes, outputs=joined)
    yield case("TensorArraySizeV3", "all", size, order, rows, nodes=tensor_array(scattered(), sized))
    closed = [sized, new_node("TensorArrayCloseV3", "close", ["array", "^y"]), passed("y", "^close", kind=INT)]
    yield case("TensorArrayCloseV3", "after use", size, order, rows, nodes=tensor_array(scattered(), *closed))


def passed(*inputs: str, kind: DType = FLOAT) -> Node:
    return new_node("Identity", "z", inputs, T=kind)


# Tensor lists -----------------------------------------------------------------------------------------


def of(op: str, *inputs: str, name: str = "y", **attrs: Value) -> Node:
    """A node of a list op: float32 elements, the list called `list`."""
    return new_node(op, name, inputs, element_dtype=FLOAT, **attrs)


SHAPED: dict[str, Value] = {"shape_type": INT}
WHOLE = of("TensorListFromTensor", "x", "x1", name="list", **SHAPED)
STACK = of("TensorListStack", "list", "x1")
LENGTH = new_node("TensorListLength", "y", ["list"])


def lists() -> Iterator[Case]:
    rows = (ROWS, Const([2]))
    yield case("TensorListFromTensor", "stacked", *rows, nodes=[WHOLE, STACK])
    yield case("TensorListStack", "counted", *rows, nodes=[WHOLE, of("TensorListStack", "list", "x1", num_elements=3)])
    yield case("TensorListStack", "unknown shape", ROWS, Const(-1), nodes=[WHOLE, STACK])
    yield case("TensorListLength", "three", *rows, nodes=[WHOLE, LENGTH])
    for at in (0, 2):
        item = of("TensorListGetItem", "list", "x2", "x1")
        yield case("TensorListGetItem", f"number {at}", *rows, Const(at), nodes=[WHOLE, item])
    gather = of("TensorListGather", "list", "x2", "x1")
    yield case("TensorListGather", "two", *rows, Const([2, 0]), nodes=[WHOLE, gather])
    yield case("TensorListGather", "twice", *rows, Const([1, 1]), nodes=[WHOLE, gather])
    changed = [WHOLE, of("TensorListSetItem", "list", "x2", "x3", name="new"), of("TensorListStack", "new", "x1")]
    yield case("TensorListSetItem", "middle", *rows, Const(1), [8.0, 9.0], nodes=changed)
    pushed = [WHOLE, of("TensorListPushBack", "list", "x2", name="new"), of("TensorListStack", "new", "x1")]
    yield case("TensorListPushBack", "fourth", *rows, [8.0, 9.0], nodes=pushed)
    popped = [WHOLE, of("TensorListPopBack", "list", "x1", name="pop"), passed("pop:1")]
    yield case("TensorListPopBack", "the last", *rows, nodes=popped, javascript=ONE_OUTPUT)
    rest = [WHOLE, of("TensorListPopBack", "list", "x1", name="pop"), of("TensorListStack", "pop", "x1")]
    yield case("TensorListPopBack", "the rest", *rows, nodes=rest, javascript=ONE_OUTPUT)
    for size in (2, 3):
        resized = [WHOLE, new_node("TensorListResize", "new", ["list", "x2"]), of("TensorListStack", "new", "x1")]
        yield case("TensorListResize", f"to {size}", *rows, Const(size), nodes=resized)
    yield from lists_made()
    yield from lists_joined()


def lists_made() -> Iterator[Case]:
    reserve = of("TensorListReserve", "x", "x1", name="list", **SHAPED)
    empty = of("EmptyTensorList", "x", "x1", name="list", **SHAPED)
    shape, three = Const([2]), Const(3)
    empty_yet = Differs("what is reserved does not count")
    yield case("TensorListReserve", "length", shape, three, nodes=[reserve, LENGTH], javascript=empty_yet)
    put = of("TensorListSetItem", "list", "x2", "x3", name="new")
    got = of("TensorListGetItem", "new", "x2", "x")
    yield case("TensorListReserve", "written", shape, three, Const(1), [8.0, 9.0], nodes=[reserve, put, got])
    yield case("EmptyTensorList", "length", shape, three, nodes=[empty, LENGTH])
    pushed = [empty, of("TensorListPushBack", "list", "x2", name="new"), of("TensorListStack", "new", "x")]
    yield case("EmptyTensorList", "pushed", shape, three, [8.0, 9.0], nodes=pushed)
    for op, count in (("TensorListScatter", ()), ("TensorListScatterV2", (Const(3),))):
        scatter = of(op, "x", "x1", "x2", *["x3" for _ in count], name="list", **SHAPED)
        inputs = (ROWS, Const([2, 0, 1]), Const([2]), *count)
        yield case(op, "all", *inputs, nodes=[scatter, of("TensorListStack", "list", "x2")])


def lists_joined() -> Iterator[Case]:
    cube = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    rows = (cube, Const([2, 2]))
    shape: Value = shape_proto((None, 2))
    yield case(
        "TensorListConcat",
        "rows",
        *rows,
        nodes=[WHOLE, of("TensorListConcat", "list", element_shape=shape)],
        outputs=["y"],
    )
    concat = of("TensorListConcatV2", "list", "x2", "x3", **SHAPED)
    inputs = (*rows, Const([-1, 2]), Const(np.zeros(0, np.int64)))
    nodes = [WHOLE, concat]
    yield case("TensorListConcatV2", "rows", *inputs, nodes=nodes, javascript=Cannot("it looks for an attribute of V1"))
    split = of("TensorListSplit", "x", "x1", "x2", name="list", **SHAPED)
    flat = "elements lose their first dimension"
    for name, lengths, javascript in (("equal", [1, 1, 1], Differs(flat)), ("unequal", [1, 2], Cannot(flat))):
        item = of("TensorListGetItem", "list", "x3", "x1")
        inputs = (ROWS, Const(-1), Const(lengths, "int64"), Const(1))
        yield case("TensorListSplit", name, *inputs, nodes=[split, item], javascript=javascript)


CASES = [*version_1(), *version_2(), *arrays(), *lists()]
