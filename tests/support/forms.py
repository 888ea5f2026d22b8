"""Small models in forms that TensorFlow.js runs and TensorFlow refuses or reads otherwise, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, Value, new_node
from bundler.ir.protos import FunctionDef, NameAttrList, OpDef
from tests.support.models import placeholder

__all__ = ["FORMS", "Form"]

BOOL, FLOAT, HALF, INT, STRING = DType.bool, DType.float32, DType.float16, DType.int32, DType.string
IMAGE = np.sin(np.arange(2 * 7 * 6 * 3, dtype=np.float32)).reshape(2, 7, 6, 3)
FILTER = np.cos(np.arange(3 * 2 * 3 * 4, dtype=np.float32)).reshape(3, 2, 3, 4)
DEPTHWISE = np.cos(np.arange(2 * 3 * 3 * 2, dtype=np.float32)).reshape(2, 3, 3, 2)
ONES = [1, 1, 1, 1]
PLAIN: dict[str, Value] = {"strides": ONES, "padding": "SAME", "dilations": ONES}


class Form(NamedTuple):
    """A graph without its Placeholders, the values of its weights and those of its Placeholders."""

    nodes: Sequence[Node]
    weights: Mapping[str, np.ndarray]
    feeds: Mapping[str, np.ndarray]
    dtypes: Mapping[str, DType] = {}
    functions: Sequence[FunctionDef] = ()
    document: Mapping[str, Any] = {}

    @property
    def placeholders(self) -> Iterator[Node]:
        """The nodes to feed."""
        for name, value in self.feeds.items():
            dtype = self.dtypes.get(name, DType.parse(value.dtype.name))
            yield placeholder(name, *value.shape, dtype=dtype)


def wave(*shape: int) -> np.ndarray:
    """Numbers from -1 to 1 that no two places share."""
    return np.sin(np.arange(1, 1 + int(np.prod(shape)), dtype=np.float32)).reshape(shape)


def of_image(op: str, *weights: np.ndarray, **attrs: Value) -> Form:
    """One op on an image and weights."""
    named = {f"w{at}": weight for at, weight in enumerate(weights)}
    return Form([new_node(op, "y", ["x", *named], T=FLOAT, **attrs)], named, {"x": IMAGE})


# Fused ops, as the converter writes a bias and a Prelu: it counts the slope in `num_args`, not in `TArgs` ----------

FUSED: Mapping[str, tuple[np.ndarray, int]] = {
    "_FusedConv2D": (FILTER, 4),
    "FusedDepthwiseConv2dNative": (DEPTHWISE, 6),
}


def fused() -> Iterator[tuple[str, Form]]:
    for op, (filter, size) in FUSED.items():
        slopes = {"C": wave(size), "11C": wave(1, 1, size), "scalar": wave(), "full": wave(7, 6, size)}
        how: dict[str, Value] = {**PLAIN, "num_args": 2, "fused_ops": ["BiasAdd", "Prelu"]}
        if op == "_FusedConv2D":
            how["TArgs"] = [FLOAT]
        for name, slope in slopes.items():
            yield f"{op} prelu {name}", of_image(op, filter, wave(size), slope, **how)
        how |= {"num_args": 1, "fused_ops": ["NoOp", "Prelu"]}
        yield f"{op} prelu without bias", of_image(op, filter, wave(size), **how)
        how |= {"fused_ops": ["biasadd", "relu6"], "padding": "same", "data_format": "nhwc"}
        yield f"{op} lower case", of_image(op, filter, wave(size), **how)
        how |= {"fused_ops": ["BiasAdd"], "padding": "VALID", "dilations": [2, 2, 1, 1]}
        yield f"{op} dilations first", of_image(op, filter, wave(size), **how)
    for name, slope in {"C": wave(5), "1C": wave(1, 5), "scalar": wave(), "full": wave(3, 5)}.items():
        weights = {"w": wave(4, 5), "b": wave(5), "a": slope}
        made = new_node("_FusedMatMul", "y", ["x", *weights], T=FLOAT, fused_ops=["BiasAdd", "Prelu"], num_args=2)
        yield f"_FusedMatMul prelu {name}", Form([made], weights, {"x": wave(3, 4)})


# Biases that are no vector ------------------------------------------------------------------------------------


def biases() -> Iterator[tuple[str, Form]]:
    conv = new_node("Conv2D", "c", ["x", "w"], T=FLOAT, **PLAIN)
    shapes: dict[str, tuple[int, ...]] = {"C": (4,), "1": (1,), "scalar": (), "1C": (1, 4), "111C": (1, 1, 1, 4)}
    shapes |= {"HWC": (7, 6, 4), "full": (2, 7, 6, 4)}
    for name, shape in shapes.items():
        for side, inputs in {"right": ["c", "b"], "left": ["b", "c"]}.items():
            made = [conv, new_node("BiasAdd", "y", inputs, T=FLOAT)]
            yield f"bias {name} {side}", Form(made, {"w": FILTER, "b": wave(*shape)}, {"x": IMAGE})
        if shape:
            fed = [conv, new_node("BiasAdd", "y", ["c", "b"], T=FLOAT)]
            yield f"bias {name} fed", Form(fed, {"w": FILTER}, {"x": IMAGE, "b": wave(*shape)})
    yield "bias residual", Form([conv, new_node("BiasAdd", "y", ["c", "c"], T=FLOAT)], {"w": FILTER}, {"x": IMAGE})
    for dtype, kind in ((INT, "int32"), (FLOAT, "float32")):
        for bias in (np.array([1, 2, 3]), np.array([[1], [2]]), np.array(3)):
            form = Form(
                [new_node("BiasAdd", "y", ["x", "b"], T=dtype)], {"b": bias.astype(kind)}, {"x": np.ones((2, 3), kind)}
            )
            yield f"bias {kind} {bias.shape}", form
    yield "bias of a vector", Form([new_node("BiasAdd", "y", ["x", "b"], T=FLOAT)], {"b": wave(3)}, {"x": wave(3)})
    yield "bias that widens", Form([new_node("BiasAdd", "y", ["x", "b"], T=FLOAT)], {"b": wave(3)}, {"x": wave(2, 1)})
    for shape in ((1, 4, 1, 1), (2, 4, 5, 6)):
        first = new_node("BiasAdd", "y", ["x", "b"], T=FLOAT, data_format="NCHW")
        yield f"bias NCHW {shape}", Form([first], {"b": wave(*shape)}, {"x": wave(2, 4, 5, 6)})
        yield f"bias NCHW {shape} fed", Form([first], {}, {"x": wave(2, 4, 5, 6), "b": wave(*shape)})


# Half precision -----------------------------------------------------------------------------------------------


def halves() -> Iterator[tuple[str, Form]]:
    relu6: dict[str, Value] = {**PLAIN, "fused_ops": ["BiasAdd", "Relu6"], "num_args": 1}
    prelu: dict[str, Value] = {**PLAIN, "fused_ops": ["BiasAdd", "Prelu"], "num_args": 2}
    yield "half Conv2D", half([new_node("Conv2D", "c", ["h", "w"], T=HALF, **PLAIN), bias("c")], w=FILTER, b=wave(4))
    yield "half _FusedConv2D", half([of_half("_FusedConv2D", "h", "w", "b", **relu6)], w=FILTER, b=wave(4))
    yield "half prelu", half([of_half("_FusedConv2D", "h", "w", "b", "a", **prelu)], w=FILTER, b=wave(4), a=wave(4))
    depthwise = of_half("FusedDepthwiseConv2dNative", "h", "w", "b", **relu6)
    yield "half depthwise", half([depthwise], w=DEPTHWISE, b=wave(6))
    dilated = depthwise.having(dilations=[1, 2, 2, 1])
    yield "half dilated depthwise", half([dilated], w=DEPTHWISE, b=wave(6))
    matmul = of_half("_FusedMatMul", "h", "w", "b", fused_ops=["BiasAdd"], num_args=1)
    yield "half _FusedMatMul", half([matmul], x=wave(3, 4), w=wave(4, 5), b=wave(5))
    for op in ("AddV2", "Mul", "Sub", "Maximum"):
        yield f"half {op}", half([of_half(op, "h", "b")], b=wave(3))
    norm = of_half("FusedBatchNormV3", "h", "b", "b", "b", "v", U=FLOAT, is_training=False)
    yield "half norm", half([norm], b=wave(3), v=np.abs(wave(3)))
    branch = function("branch", "a", [new_node("AddV2", "sum", ["a", "a"], T=HALF)], "sum:z:0", HALF)
    called = new_node("StatelessIf", "z", ["p", "h"], Tcond=BOOL, Tin=[HALF], Tout=[HALF], **both("branch"))
    yield "half function", half([called], functions=[branch], p=np.array(True))
    fed = [new_node("MatMul", "m", ["x", "w"], T=HALF), new_node("Cast", "y", ["m"], SrcT=HALF, DstT=FLOAT)]
    whole = np.arange(12, dtype=np.float32).reshape(3, 4)
    yield "half input", Form([HALF_WEIGHT, *fed], {"w": wave(4, 2)}, {"x": whole}, {"x": HALF})


HALF_WEIGHT = new_node("Const", "w", dtype=HALF)


def half(nodes: Sequence[Node], *, functions: Sequence[FunctionDef] = (), **values: np.ndarray) -> Form:
    """Nodes from `h` to `z` in half precision, whose weight `w` is half and whose others are float32."""
    feeds = {"x": values.pop("x", IMAGE)}
    half = [HALF_WEIGHT] if "w" in values else []
    down, up = new_node("Cast", "h", ["x"], SrcT=FLOAT, DstT=HALF), new_node("Cast", "y", ["z"], SrcT=HALF, DstT=FLOAT)
    return Form([*half, down, *nodes, up], values, feeds, functions=functions)


def of_half(op: str, *inputs: str, **attrs: Value) -> Node:
    return new_node(op, "z", inputs, T=HALF, **attrs)


def bias(of: str) -> Node:
    return of_half("BiasAdd", of, "b")


def function(name: str, argument: str, nodes: Sequence[Node], result: str, dtype: DType) -> FunctionDef:
    argument_def = OpDef.ArgDef(name=argument, type=dtype)
    signature = OpDef(name=name, input_arg=[argument_def], output_arg=[OpDef.ArgDef(name="result", type=dtype)])
    return FunctionDef(signature=signature, node_def=[each.message for each in nodes], ret={"result": result})


def both(name: str) -> dict[str, Value]:
    return {"then_branch": NameAttrList(name=name), "else_branch": NameAttrList(name=name)}


# Version 1 loops that read from outside -------------------------------------------------------------------------


def loop(
    turn: Sequence[Node], start: str = "x", limit: str = "limit", name: str = "loop", result: str = "y"
) -> list[Node]:
    """While `start` < `limit`, which does not enter: the nodes of a turn, from `{name}/now` to `{name}/new`."""
    at = {key: f"{name}/{key}" for key in ("enter", "merge", "less", "go", "switch", "now", "new", "next")}
    return [
        new_node("Enter", at["enter"], [start], T=FLOAT, frame_name=name, parallel_iterations=7),
        new_node("Merge", at["merge"], [at["enter"], at["next"]], T=FLOAT, N=2),
        new_node("Less", at["less"], [at["merge"], limit], T=FLOAT),
        new_node("LoopCond", at["go"], [at["less"]]),
        new_node("Switch", at["switch"], [at["merge"], at["go"]], T=FLOAT),
        new_node("Identity", at["now"], [at["switch"] + ":1"], T=FLOAT),
        *turn,
        new_node("NextIteration", at["next"], [at["new"]], T=FLOAT),
        new_node("Exit", result, [at["switch"]], T=FLOAT),
    ]


def added(what: str, name: str = "loop", to: str = "", *waits: str) -> Node:
    return new_node("AddV2", f"{name}/new", [to or f"{name}/now", what, *waits], T=FLOAT)


def loops() -> Iterator[tuple[str, Form]]:
    weights, one = {"limit": np.float32(10) * np.ones(()), "c": np.ones(()) * 2}, {"x": np.ones((), np.float32)}
    weights = {name: value.astype(np.float32) for name, value in weights.items()}
    more = {**weights, "far": np.array(30, np.float32)}
    yield "loop constant", Form(loop([added("c")]), weights, one)
    negated = [new_node("Neg", "n", ["c"], T=FLOAT), new_node("Abs", "a", ["n"], T=FLOAT)]
    yield "loop op", Form([*negated, *loop([added("a")])], weights, one)
    yield "loop input", Form(loop([added("x")]), {"limit": weights["limit"]}, one)
    yield "loop control edge", Form([*negated, *loop([added("c", "loop", "", "^n")])], weights, one)
    inner = loop([added("c", "in")], "loop/now", name="in", result="loop/inner")
    yield "loop in a loop", Form(loop([*inner, added("c", to="loop/inner")], limit="far"), more, one)
    after = loop([added("c", "next")], "middle", "far", "next")
    yield "loop after a loop", Form([*loop([added("c")], result="middle"), *after], more, one)
    turn = [new_node("MatMul", "m", ["loop/now", "w"], T=FLOAT), added("m")]
    largest = new_node("Max", "max", ["loop/merge", "axes"], T=FLOAT, Tidx=INT)
    nodes = [largest, *(each._replace(input=("max", "limit")) if each.op == "Less" else each for each in loop(turn))]
    matrix = {"limit": weights["limit"], "w": np.abs(wave(2, 2)), "axes": np.array([0, 1], np.int32)}
    yield "loop weight", Form(nodes, matrix, {"x": np.ones((1, 2), np.float32)})


# What is written by hand ----------------------------------------------------------------------------------------


def windows() -> Iterator[tuple[str, Form]]:
    for op, filter in {"Conv2D": FILTER, "DepthwiseConv2dNative": DEPTHWISE}.items():
        for sizes in ([2, 2, 1, 1], [3, 2, 1, 1], [2, 2, 2, 2], [1, 1, 2, 2]):
            yield f"{op} dilations {sizes}", of_image(op, filter, **{**PLAIN, "dilations": sizes})
            yield f"{op} strides {sizes}", of_image(op, filter, **{**PLAIN, "strides": sizes, "padding": "valid"})
    for sizes in ([2, 2, 1, 1], [2, 2, 2, 2]):
        attrs: dict[str, Value] = {"ksize": [1, 2, 2, 1], "strides": sizes, "padding": "same"}
        yield f"MaxPool strides {sizes}", of_image("MaxPool", **attrs)
        attrs = {"ksize": sizes, "strides": [1, 2, 2, 1], "padding": "same", "data_format": "nhwc"}
        yield f"AvgPool ksize {sizes}", of_image("AvgPool", **attrs)
    yield "Dilation2D", of_image("Dilation2D", wave(2, 2, 3), strides=[2, 2, 1, 1], rates=ONES, padding="same")
    yield "numbers as fractions", of_image("Conv2D", FILTER, **{**PLAIN, "strides": [1.0, 2.0, 2.0, 1.0]})
    volume, filter = wave(1, 4, 4, 4, 2), wave(2, 2, 2, 2, 3)
    attrs = {"strides": [2] * 5, "padding": "same", "data_format": "ndhwc", "dilations": [1] * 5}
    yield "Conv3D", Form([new_node("Conv3D", "y", ["x", "w"], T=FLOAT, **attrs)], {"w": filter}, {"x": volume})


def by_hand() -> Iterator[tuple[str, Form]]:
    around = np.array([[0, 0], [1, 2], [1, 1], [0, 0]], np.int32)
    for value in (0.0, 1.5, -2):
        yield f"Pad {value}", of_image("Pad", around, Tpaddings=INT, constant_value=value)
    yield "MirrorPad", of_image("MirrorPad", around, Tpaddings=INT, mode="reflect")
    rows, counted = [new_node("Neg", "n", ["x"], T=FLOAT), new_node("AddV2", "y", ["u", "u:1"], T=FLOAT)], wave(3, 4, 2)
    for axis in (0, 1, -1):
        unpacked = [new_node("Unpack", "u", ["x"], T=FLOAT, axis=axis), rows[1]]
        yield f"Unpack {axis} of a known shape", Form(unpacked, {}, {"x": counted})
        unpacked = [rows[0], new_node("Unpack", "u", ["n"], T=FLOAT, axis=axis), rows[1]]
        yield f"Unpack {axis} of an unknown shape", Form(unpacked, {}, {"x": counted})
    split = [new_node("SplitV", "u", ["x", "sizes", "axis"], T=FLOAT, Tlen=INT), rows[1]]
    sizes = {"sizes": np.array([2, 2, 2], np.int32), "axis": np.array(1, np.int32)}
    yield "SplitV", Form(split, sizes, {"x": wave(4, 6)})
    for op in ("Pack", "AddN"):
        yield f"{op} without N", Form([new_node(op, "y", ["x"] * 3, T=FLOAT)], {}, {"x": wave(3)})
        yield f"{op} with another N", Form([new_node(op, "y", ["x"] * 3, T=FLOAT, N=2)], {}, {"x": wave(3)})
    largest = [new_node("ArgMax", "a", ["x", "i"], T=FLOAT), new_node("AddV2", "y", ["a", "i"], T=INT)]
    yield "integers of 32 and 64 bits", Form(largest, {"i": np.array(1, np.int32)}, {"x": wave(3, 4)})
    yield (
        "an integer operand",
        Form([new_node("AddV2", "y", ["x", "i"], T=FLOAT)], {"i": np.array(3, np.int32)}, {"x": wave(3)}),
    )
    yield "a cast of something else", Form([new_node("Cast", "y", ["x"], SrcT=INT, DstT=FLOAT)], {}, {"x": wave(3)})
    yield from ((f"size of a table {dtype}", sized(dtype)) for dtype in (INT, DType.int64))


def sized(dtype: DType) -> Form:
    """The number of entries of a version 1 table, read as `dtype`."""
    table = {"key_dtype": {"type": "DT_STRING"}, "value_dtype": {"type": "DT_INT32"}, "shared_name": {"s": "dA=="}}
    entries = [
        {"name": "t", "op": "HashTable", "attr": table},
        {"name": "k", "op": "Const", "attr": {"dtype": {"type": "DT_STRING"}}},
        {"name": "v", "op": "Const", "attr": {"dtype": {"type": "DT_INT32"}}},
        {"name": "i", "op": "LookupTableImport", "input": ["t", "k", "v"], "attr": {}},
    ]
    made = new_node("HashTable", "t", key_dtype=STRING, value_dtype=INT, shared_name="t")
    nodes = [made, new_node("LookupTableSize", "s", ["t"]), new_node("AddV2", "y", ["x", "s"], T=dtype)]
    weights = {"k": np.array([b"a", b"b"], object), "v": np.array([3, 4], np.int32)}
    return Form(nodes, weights, {"x": np.array([1, 2], np.int32)}, document={"modelInitializer": {"node": entries}})


def without_a_batch() -> Iterator[tuple[str, Form]]:
    ops = {"Conv2D": FILTER, "DepthwiseConv2dNative": DEPTHWISE, "MaxPool": None, "AvgPool": None}
    for op, filter in ops.items():
        sizes: dict[str, Value] = PLAIN if filter is not None else {**PLAIN, "ksize": [1, 2, 2, 1], "dilations": None}
        weights = {} if filter is None else {"w": filter}
        yield (
            f"{op} of an image",
            Form([new_node(op, "y", ["x", *weights], T=FLOAT, **sizes)], weights, {"x": IMAGE[0]}),
        )
    fused = new_node("_FusedConv2D", "y", ["x", "w", "b"], T=FLOAT, **PLAIN, fused_ops=["BiasAdd", "Relu"], num_args=1)
    yield "_FusedConv2D of an image", Form([fused], {"w": FILTER, "b": wave(4)}, {"x": IMAGE[0]})
    for other in (wave(5, 4), wave(2, 5, 4)):
        made = new_node("MatMul", "y", ["x", "w"], T=FLOAT, transpose_b=True)
        yield f"MatMul of batches {other.ndim}", Form([made], {"w": other}, {"x": wave(2, 3, 4)})


# Names ----------------------------------------------------------------------------------------------------------


def names() -> Iterator[tuple[str, Form]]:
    chain = ["a b", "a_b", "ä", "日本", "a>b c", "-y", "y"]
    nodes = [new_node("Neg", name, [read], T=FLOAT) for read, name in zip(["x", *chain], chain)]
    yield "names", Form(nodes, {}, {"x": wave(3)})
    weight = [new_node("MatMul", "y", ["x", "my w", "^my w"], T=FLOAT)]
    yield "name of a weight", Form(weight, {"my w": wave(3, 2)}, {"x": wave(2, 3)})
    body = function("my branch", "a", [new_node("AddV2", "my sum", ["a", "a"], T=FLOAT)], "my sum:z:0", FLOAT)
    called = new_node("StatelessIf", "y", ["p", "x"], Tcond=BOOL, Tin=[FLOAT], Tout=[FLOAT], **both("my branch"))
    yield "names of a function", Form([called], {"p": np.array(True)}, {"x": wave(3)}, functions=[body])
    limits = {"limit": np.array(10, np.float32), "c": np.array(2, np.float32)}
    turns = loop([added("c", "my loop")], name="my loop")
    yield "names of a loop", Form(turns, limits, {"x": np.ones((), np.float32)})


FORMS: Mapping[str, Form] = {
    name.replace(" ", "-"): form
    for made in (fused, biases, halves, loops, windows, by_hand, without_a_batch, names)
    for name, form in made()
}
