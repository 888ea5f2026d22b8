"""Cases of hash_table.json: tables that the graph fills itself, and tables that an initializer fills.

What is right for the latter is what TensorFlow gives where the graph fills the same table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf import json_format

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, new_node
from tests.conformance.case import Array, Case, Const, Differs, case, dtype_of
from tests.support.models import const

__all__ = ["CASES"]

KINDS: dict[str, tuple[Const, Const, Array, Array]] = {
    # keys, values, asked, default
    "string to int64": (Const(["a", "b"]), Const([1, 2], "int64"), ["b", "z", "a"], Const(-1, "int64")),
    "int64 to string": (Const([5, 6], "int64"), Const(["x", "y"]), np.array([6, 7], np.int64), Const("?")),
    "string to float32": (Const(["a", "b"]), Const([1.5, 2.5]), ["b", "b"], Const(0.5)),
    "int32 to float32": (Const([5, 6]), Const([1.5, 2.5]), [6, 9], Const(0.5)),
    "int64 to int64": (Const([5, 6], "int64"), Const([8, 9], "int64"), np.array([5], np.int64), Const(0, "int64")),
}
FLAT = Differs("what is looked up comes back without its shape")


class Table:
    """The nodes around one table. `version` is "" for the ops that pass a name in place of a resource."""

    def __init__(self, version: str, keys: Const, values: Const) -> None:
        self.version = version
        self.types = {"key_dtype": dtype_of(keys.value), "value_dtype": dtype_of(values.value)}
        self.inner = {"Tin": dtype_of(keys.value), "Tout": dtype_of(values.value)}

    @property
    def made(self) -> Node:
        return new_node(f"HashTable{self.version}", "table", shared_name="table_4711", **self.types)

    def filled(self, op: str) -> Node:
        types = self.inner if op == "LookupTableImport" else {"Tkey": self.inner["Tin"], "Tval": self.inner["Tout"]}
        return new_node(op + self.version, "fill", ["table", "x", "x1"], **types)

    def found(self, *waiting: str) -> Node:
        return new_node(f"LookupTableFind{self.version}", "y", ["table", "x2", "x3", *waiting], **self.inner)

    def counted(self, *waiting: str) -> Node:
        return new_node(f"LookupTableSize{self.version}", "y", ["table", *waiting])


def cases() -> Iterator[Case]:
    for version in ("", "V2"):
        for name, inputs in KINDS.items():
            if version or name != "int32 to float32":
                yield from _of_one_table(version, name, inputs)
    for name, inputs in KINDS.items():
        yield _of_placeholder(name, *inputs)
    keys, values, _, default = KINDS["string to float32"]
    table = Table("V2", keys, values)
    nodes = [table.made, table.filled("LookupTableImport"), table.found("^fill")]
    matrix = (keys, values, [["b"], ["z"]], default)
    yield case("LookupTableFindV2", "matrix", *matrix, nodes=nodes, javascript=FLAT)


def _of_one_table(version: str, name: str, inputs: tuple[Const, Const, Array, Array]) -> Iterator[Case]:
    table = Table(version, *inputs[:2])
    for op in ("LookupTableImport", "InitializeTable"):
        fill = table.filled(op)
        by_graph = [table.made, fill, table.found("^fill")]
        yield case(op + version, f"{name} by the graph", *inputs, nodes=by_graph)
        document = _initializer([*inputs[:2]], [table.made, fill])
        nodes = [table.made, table.found()]
        yield case(op + version, name, *inputs, nodes=nodes, meaning=by_graph, document=document)
    yield case(f"HashTable{version}", name, *inputs, nodes=nodes, meaning=by_graph, document=document)
    yield case(f"LookupTableFind{version}", name, *inputs, nodes=nodes, meaning=by_graph, document=document)
    sized = [table.made, table.counted()]
    by_graph = [table.made, fill, table.counted("^fill")]
    yield case(f"LookupTableSize{version}", name, *inputs, nodes=sized, meaning=by_graph, document=document)


def _of_placeholder(name: str, keys: Const, values: Const, asked: Array, default: Array) -> Case:
    """A table that comes in by an input, which says by a number which output of the initializer it is."""
    table = Table("V2", keys, values)
    fill = table.filled("LookupTableImport")
    passed_on = new_node("Identity", "Identity", ["table", "^fill"], T=DType.resource)
    document = {
        **_initializer([keys, values], [table.made, fill, passed_on]),
        "initializerSignature": {"outputs": {"Identity:0": {"name": "Identity:0", "resourceId": 17}}},
        "signature": {
            "inputs": {"x2": {"name": "x2:0"}, "table:0": {"name": "table:0", "resourceId": 17}},
            "outputs": {"y": {"name": "y:0"}},
        },
    }
    nodes = [new_node("Placeholder", "table", dtype=DType.resource), table.found()]
    by_graph = [table.made, fill, table.found("^fill")]
    inputs = (keys, values, asked, default)
    return case("HashTableV2", f"{name} by an input", *inputs, nodes=nodes, meaning=by_graph, document=document)


def _initializer(weights: Sequence[Const], nodes: Sequence[Node]) -> Mapping[str, Any]:
    consts = (const(name, weight.value) for name, weight in zip(("x", "x1"), weights))
    return {"modelInitializer": {"node": [json_format.MessageToDict(made.message) for made in [*consts, *nodes]]}}


CASES = list(cases())
