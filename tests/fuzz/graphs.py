"""Graph models out of the op table: right but for some slips.

Hypothesis draws the ops, the places of the slips and a seed; all that is of less interest comes from the seed. So a
model takes few draws, and what fails shrinks to few nodes and few slips.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from hypothesis import strategies as st

from bundler import ops
from bundler.ops import Argument, Op
from tests.fuzz.mutate import STRANGE

__all__ = ["models"]

Json: TypeAlias = dict[str, Any]

_OPS = sorted(ops.table())
_FAVOURITES = (
    "Const",
    "Identity",
    "IdentityN",
    "AddV2",
    "AddN",
    "Relu6",
    "Mul",
    "Pad",
    "Conv2D",
    "DepthwiseConv2dNative",
    "FusedDepthwiseConv2dNative",
    "_FusedConv2D",
    "_FusedMatMul",
    "Prelu",
    "BiasAdd",
    "MaxPool",
    "AvgPool",
    "FusedBatchNormV3",
    "Ones",
    "Zeros",
    "Conv1D",
    "Assert",
    "Print",
    "If",
    "While",
    "StatelessIf",
    "StatelessWhile",
    "Switch",
    "Merge",
    "Enter",
    "Exit",
    "NextIteration",
    "LoopCond",
    "HashTableV2",
    "LookupTableFindV2",
    "Split",
    "Unpack",
    "Pack",
    "ConcatV2",
    "TensorArrayV3",
    "TensorListReserve",
    "NoOp",
    "loop",
)
_DTYPES = ("DT_FLOAT", "DT_FLOAT", "DT_FLOAT", "DT_INT32", "DT_BOOL", "DT_STRING", "DT_COMPLEX64", "DT_INT64")
_FILE_DTYPES: Mapping[Any, tuple[str, int]] = {
    "DT_FLOAT": ("float32", 4),
    "DT_INT32": ("int32", 4),
    "DT_BOOL": ("bool", 1),
}
_QUANTIZED = (("uint8", 1), ("uint16", 2), ("float16", 2))
_STRINGS: Mapping[str, Sequence[str]] = {
    "padding": ("SAME", "VALID", "EXPLICIT"),
    "data_format": ("NHWC", "NHWC", "NCHW", "NDHWC", "NCDHW"),
    "frame_name": ("loop", "other"),
    "equation": ("ij,jk->ik", "i->i", "..."),
    "shared_name": ("table", "other", ""),
}
_FUSED = (
    ["BiasAdd"],
    ["BiasAdd", "Relu"],
    ["NoOp", "Prelu"],
    ["BiasAdd", "LeakyRelu"],
    ["BiasAdd", "BiasAdd"],
    [],
    ["Relu"],
)
_SIZES = (
    [1, 1, 1, 1],
    [1, 2, 2, 1],
    [1, 1, 2, 2],
    [2, 2, 1, 1],
    [1, 1, 1, 1, 1],
    [0, 0, 1, 1, 1, 1, 0, 0],
    [1, 2, 3, 1],
    [],
)
_FUNCTIONS = ("f", "g", "__inference_h_7", "Relu")
_KEYS = ("y", "z", "Identity:0", "Identity", "a:0", "", "é", "x" * 300)


class Made(NamedTuple):
    """A tensor that later nodes may read."""

    reference: str
    dtype: Any


class Slips:
    """Where the writer of a model goes wrong: at the n-th occasion, for each n drawn."""

    def __init__(self, at: Sequence[int]) -> None:
        self._at, self._occasion = frozenset(at), 0

    def now(self) -> bool:
        self._occasion += 1
        return self._occasion in self._at


@st.composite
def models(draw: st.DrawFn) -> dict[str, bytes]:
    """The files of a model: `model.json`, and a shard."""
    some_ops = st.lists(st.sampled_from(_FAVOURITES) | st.sampled_from(_OPS), max_size=6)
    slips = Slips(draw(st.lists(st.integers(1, 150), max_size=3)))
    writer = _Writer(random.Random(draw(st.integers(0, 1 << 32))), slips)
    names = draw(st.lists(st.sampled_from(_FUNCTIONS), max_size=2))
    return writer.model(draw(some_ops), {name: draw(some_ops) for name in names}, draw(st.none() | some_ops))


class _Writer:
    """Writes one model."""

    def __init__(self, drawn: random.Random, slips: Slips) -> None:
        self._drawn, self._slips = drawn, slips
        self._weights: list[Json] = []
        self._content = b""

    def model(
        self, main: list[str], functions: Mapping[str, list[str]], initializer: list[str] | None
    ) -> dict[str, bytes]:
        library = [self._function(name, body, [*functions]) for name, body in functions.items()]
        nodes = self._graph(main, [entry["signature"] for entry in library])
        topology = {"node": nodes, "library": {"function": library}, "versions": {"producer": self._or_strange(1395)}}
        groups = [{"paths": ["shard.bin"], "weights": self._weights}]
        document = {"modelTopology": topology, "weightsManifest": groups, **self._signature(nodes)}
        if initializer is not None:
            document["modelInitializer"] = {"node": self._graph(initializer, [])}
            resource = {"resourceId": self._or_strange(1), "name": self._or_strange("n0")}
            document["initializerSignature"] = {"outputs": {"t": resource}}
        return {"model.json": json.dumps(document).encode(), "shard.bin": self._content}

    def _or_strange(self, usual: Any) -> Any:
        return self._drawn.choice(STRANGE) if self._slips.now() else usual

    # Graphs and functions

    def _graph(self, some_ops: Sequence[str], functions: Sequence[Json]) -> list[Json]:
        """Some inputs and the nodes, in order."""
        inputs = [Made(f"x{at}", dtype) for at, dtype in enumerate(("DT_FLOAT", "DT_INT32", "DT_BOOL"))]
        shape = {"shape": {"dim": [{"size": "2"}] * self._drawn.randrange(5)}}
        found = [
            {"name": made.reference, "op": "Placeholder", "attr": {"dtype": {"type": made.dtype}, "shape": shape}}
            for made in inputs
        ]
        tensors = [*inputs]
        for at, op in enumerate(some_ops):
            found += self._loop(f"n{at}", tensors) if op == "loop" else [self._node(f"n{at}", op, tensors, functions)]
        return found

    def _function(self, name: str, some_ops: Sequence[str], names: Sequence[str]) -> Json:
        """A function of a float, of two, or of others; it gives what was made last."""
        dtypes = self._drawn.choice([["DT_FLOAT"], ["DT_FLOAT", "DT_FLOAT"], ["DT_INT32", "DT_FLOAT"], ["DT_BOOL"], []])
        arguments = [{"name": f"x{at}", "type": dtype} for at, dtype in enumerate(dtypes)]
        tensors = [Made(f"x{at}", dtype) for at, dtype in enumerate(dtypes)]
        known = [{"name": other, "inputArg": arguments, "outputArg": []} for other in names]
        body = [self._node(f"m{at}", op, tensors, known, inside=name) for at, op in enumerate(some_ops) if op != "loop"]
        results = tensors[-self._drawn.randrange(1, 3) :]
        outputs = [{"name": f"r{at}", "type": self._or_strange(made.dtype)} for at, made in enumerate(results)]
        returns = {
            f"r{at}": self._or_strange(made.reference) for at, made in enumerate(results) if not self._slips.now()
        }
        return {
            "signature": {"name": name, "inputArg": arguments, "outputArg": outputs},
            "nodeDef": body,
            "ret": returns,
        }

    def _loop(self, name: str, tensors: list[Made]) -> list[Json]:
        """A loop of version 1, now and then with a node missing or a wire in the wrong place."""
        wires = {
            "enter": ("Enter", ["x0"]),
            "merge": ("Merge", [f"{name}/enter", f"{name}/next"]),
            "go": ("LoopCond", ["x2"]),
            "switch": ("Switch", [f"{name}/merge", f"{name}/go"]),
            "next": ("NextIteration", [f"{name}/switch:1"]),
            "exit": ("Exit", [f"{name}/switch"]),
        }
        dtype, made = {"type": "DT_FLOAT"}, []
        for part, (op, inputs) in wires.items():
            attrs: Json = {} if op == "LoopCond" else {"T": dtype}
            attrs |= (
                {"frame_name": {"s": _spelled(name)}} if op == "Enter" else {"N": {"i": "2"}} if op == "Merge" else {}
            )
            if self._slips.now():
                inputs = [
                    self._drawn.choice([f"{name}/exit", f"{name}/switch:1", "x0", f"{name}/merge"]) for _ in inputs
                ]
            if not self._slips.now():
                made.append({"name": f"{name}/{part}", "op": op, "input": inputs, "attr": attrs})
        tensors += [Made(f"{name}/exit", "DT_FLOAT"), Made(f"{name}/switch:1", "DT_FLOAT")]
        return made

    # Nodes

    def _node(self, name: str, op: str, tensors: list[Made], functions: Sequence[Json], inside: str = "") -> Json:
        row = ops.table().get(op, Op(inputs=(Argument("x", "T"),), attrs={"T": "type"}))
        name, known = self._or_strange(name), dict[str, Any]()
        called = self._drawn.choice(functions) if functions and "func" in row.attrs.values() else None
        if called is not None:
            arguments, results = ([entry["type"] for entry in called[side]] for side in ("inputArg", "outputArg"))
            known |= {"Tin": arguments, "T": arguments, "Tout": results}
        inputs = [self._input(arg, known, tensors) for arg in row.inputs for _ in range(self._times(arg, known))]
        if self._slips.now():
            inputs.insert(
                self._drawn.randrange(len(inputs) + 1), self._drawn.choice([f"^{name}", "^x0", "x0", "no", str(name)])
            )
        attrs = {
            key: self._or_strange(self._attr(key, kind, known, called))
            for key, kind in row.attrs.items()
            if not self._slips.now()
        }
        if op == "Const" and not self._slips.now():
            self._weigh(f"{inside}/{name}" if inside else str(name), attrs)
        tensors += _outputs(str(name), row, known, bool(inside))
        return {"name": name, "op": op, "input": inputs, "attr": attrs}

    def _times(self, argument: Argument, known: Json) -> int:
        """How many tensors an argument takes; what attributes must say of it is kept in `known`."""
        if argument.listed:
            some = [self._drawn.choice(_DTYPES[:5]) for _ in range(self._drawn.randrange(4))]
            return len(known.setdefault(argument.kind, some))
        return known.setdefault(argument.number, self._drawn.randrange(1, 4)) if argument.number else 1

    def _input(self, argument: Argument, known: Json, tensors: Sequence[Made]) -> Any:
        """A tensor of the dtype that the argument has, if there is one: the later it was made the likelier."""
        dtype = known.get(argument.kind, argument.kind if argument.kind.islower() else None)
        dtype = {"bool": "DT_BOOL", "int32": "DT_INT32", "float32": "DT_FLOAT"}.get(str(dtype), dtype)
        fitting = [made for made in tensors if not isinstance(dtype, str) or made.dtype == dtype] or tensors
        if not fitting:
            return "x0"
        made = fitting[max(self._drawn.randrange(len(fitting)), self._drawn.randrange(len(fitting)))]
        if not argument.listed:
            known.setdefault(argument.kind, made.dtype)
        return self._or_strange(made.reference)

    def _attr(self, key: str, kind: str, known: Json, called: Json | None) -> Any:
        if kind.startswith("list("):
            return {"list": self._list(key, kind[5:-1], known)}
        if kind == "type":
            return {"type": known.setdefault(key, self._drawn.choice(_DTYPES))}
        if kind == "func":
            return {"func": {"name": self._or_strange("nowhere" if called is None else called["name"])}}
        if kind == "int":
            return {"i": str(known.get(key, self._drawn.randrange(4)))}
        if kind == "string":
            return {"s": _spelled(self._drawn.choice(_STRINGS.get(key, ("", "x"))))}
        single = {"float": ("f", 0.5), "bool": ("b", self._drawn.random() < 0.5), "shape": ("shape", self._shape())}
        slot, value = single.get(kind) or ("tensor", self._tensor(known))
        return {slot: value}

    def _list(self, key: str, kind: str, known: Json) -> Json:
        if kind == "type":
            return {
                "type": known.setdefault(key, [self._drawn.choice(_DTYPES) for _ in range(self._drawn.randrange(4))])
            }
        if kind == "int":
            return {"i": [self._or_strange(size) for size in self._drawn.choice(_SIZES)]}
        if kind == "string":
            return {
                "s": [_spelled(text) for text in self._drawn.choice(_FUSED if key == "fused_ops" else ((), ("x",)))]
            }
        return {kind: [self._shape()]}

    def _shape(self) -> Json:
        sizes = [{"size": self._or_strange(str(self._drawn.randrange(-1, 4)))} for _ in range(self._drawn.randrange(5))]
        return {"unknownRank": True} if self._drawn.random() < 0.2 else {"dim": sizes}

    def _tensor(self, known: Json) -> Json:
        sizes = [{"size": self._or_strange("2")} for _ in range(self._drawn.randrange(3))]
        values = self._drawn.choice(["floatVal", "intVal", "boolVal", "int64Val", "halfVal"])
        made: Json = {"dtype": known.get("dtype", "DT_FLOAT"), "tensorShape": {"dim": sizes}}
        made[values] = [values == "boolVal" or 1] * self._drawn.randrange(5)
        if self._drawn.random() < 0.3:
            made["tensorContent"] = base64.b64encode(bytes(4 << self._drawn.randrange(4))).decode()
        return made

    def _weigh(self, name: str, attrs: Json) -> None:
        """A weight for a constant, perhaps quantized, of the dtype that the constant says if the format has it."""
        said = attrs.get("dtype")
        dtype, width = _FILE_DTYPES.get(str(said.get("type")) if isinstance(said, dict) else "", ("float32", 4))
        shape = [self._drawn.randrange(4) for _ in range(self._drawn.randrange(5))]
        entry: Json = {"name": name, "shape": shape, "dtype": dtype}
        if dtype == "float32" and self._drawn.random() < 0.5:
            stored, width = self._drawn.choice(_QUANTIZED)
            entry["quantization"] = {"dtype": stored, "scale": self._or_strange(0.5), "min": -1.0}
        size = width
        for dim in shape:
            size *= dim
        self._weights.append(entry)
        self._content += bytes(size)

    def _signature(self, nodes: Sequence[Json]) -> Json:
        """A signature of some nodes, in either place, or none."""
        if self._drawn.random() < 0.4:
            return {}
        sides = {side: self._side(nodes) for side in ("outputs", "inputs") if not self._slips.now()}
        return {"signature": sides} if self._drawn.random() < 0.5 else {"userDefinedMetadata": {"signature": sides}}

    def _side(self, nodes: Sequence[Json]) -> Json:
        names = self._drawn.sample(_KEYS, self._drawn.randrange(1, 3))
        entries = [{"name": self._or_strange(f"{self._drawn.choice(nodes)['name']}:0"), "resourceId": 1} for _ in names]
        if self._drawn.random() < 0.9:
            entries = [{"name": entry["name"]} for entry in entries]
        return dict(zip(names, entries))


def _outputs(name: str, row: Op, known: Json, in_function: bool) -> list[Made]:
    made: list[Made] = []
    for output in row.outputs:
        dtype = known.get(output.kind, output.kind if output.kind in _DTYPES else "DT_FLOAT")
        dtypes = dtype if isinstance(dtype, list) else [dtype] * known.get(output.number, 1)
        for index, kind in enumerate(dtypes):
            inside, outside = f"{name}:{output.name}:{index}", f"{name}:{len(made)}" if made else name
            made.append(Made(inside if in_function else outside, kind))
    return made


def _spelled(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
