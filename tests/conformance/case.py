"""One case of the op conformance suite: a graph of (mostly) one op, its inputs, and what is known of TensorFlow.js."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from bundler import ops
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, Shape, Value, new_node, shape_proto
from bundler.ir.protos import FunctionDef

__all__ = ["AGREES", "Array", "Cannot", "Case", "Const", "Differs", "Verdict", "case"]

Array: TypeAlias = "np.ndarray | list[Any] | int | float | str | bytes"


class Differs(NamedTuple):
    """TensorFlow.js runs the graph and gives something else than TensorFlow."""

    why: str


class Cannot(NamedTuple):
    """TensorFlow.js does not run the graph."""

    why: str


AGREES = "agrees"
Verdict: TypeAlias = "str | Differs | Cannot"


class Const:
    """An input that is a weight in the file, not a Placeholder."""

    def __init__(self, value: Array, dtype: str | None = None) -> None:
        self.value = array(value, dtype)


@dataclass(frozen=True)
class Case:
    """A graph whose node `y` is of the op in question.

    `inputs` are `y`'s inputs in order: arrays are fed through Placeholders, `Const`s are weights of the file.
    `nodes` stand in place of the single node `y` if one is not enough (they read the inputs by name); what
    needs `functions` or more of the document says so. `outputs` are the tensors to compare.

    What is right is what TensorFlow gives for these very nodes, or for `meaning` if TensorFlow lacks the op or
    TensorFlow.js' own meaning counts: nodes of TensorFlow's that make the same outputs from the same inputs.
    Random results have a range, `drawn`, in place of values. What bundler refuses has words of its error, `refused`.
    """

    op: str
    name: str
    inputs: Mapping[str, np.ndarray | Const]
    nodes: Sequence[Node]
    outputs: Sequence[str]
    javascript: Verdict = AGREES
    tolerance: float = 1e-5
    meaning: Sequence[Node] | None = None
    drawn: tuple[float, float] | None = None
    refused: str = ""
    dims: Mapping[str, Shape] = field(default_factory=dict)
    functions: Sequence[FunctionDef] = ()
    document: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Unique over the suite, and fit for a scope."""
        return f"{self.op}-{self.name}".replace(" ", "-").lstrip("_")

    @property
    def feeds(self) -> dict[str, np.ndarray]:
        """The values of the Placeholders."""
        return {name: value for name, value in self.inputs.items() if isinstance(value, np.ndarray)}

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """The values of the weights."""
        return {name: value.value for name, value in self.inputs.items() if isinstance(value, Const)}

    @property
    def placeholders(self) -> Iterator[Node]:
        """The nodes to feed, of the shape of what is fed, or of `dims`. TensorFlow.js takes no size of 0."""
        for name, value in self.feeds.items():
            shape = shape_proto(self.dims.get(name, tuple(size or None for size in value.shape)))
            yield new_node("Placeholder", name, dtype=dtype_of(value), shape=shape)


def case(
    op: str,
    name: str,
    *inputs: Array | Const,
    nodes: Sequence[Node] | None = None,
    outputs: Sequence[str] | None = None,
    javascript: Verdict = AGREES,
    tolerance: float = 1e-5,
    meaning: Sequence[Node] | None = None,
    drawn: tuple[float, float] | None = None,
    refused: str = "",
    dims: Mapping[str, Shape] | None = None,
    functions: Sequence[FunctionDef] = (),
    document: Mapping[str, Any] | None = None,
    **attrs: Value,
) -> Case:
    """A case of one op: its inputs, called x, x1, x2, … in the graph, then its attributes.

    Lists of numbers are float32 or int32 as they are spelled. Types and counts that follow from the inputs (`T`, …)
    need not be given. The outputs compared are all that the op has. See Case for the rest.
    """
    values = {f"x{at or ''}": given if isinstance(given, Const) else array(given) for at, given in enumerate(inputs)}
    single = [one(op, "y", values, **attrs)] if nodes is None else nodes
    return Case(
        op=op,
        name=name,
        inputs=values,
        nodes=single,
        outputs=outputs or _ports(single[-1]),
        javascript=javascript,
        tolerance=tolerance,
        meaning=meaning,
        drawn=drawn,
        refused=refused,
        dims=dims or {},
        functions=functions,
        document=document or {},
    )


def one(op: str, name: str, inputs: Mapping[str, np.ndarray | Const], **attrs: Value) -> Node:
    """A node that reads `inputs`, with the types and counts that follow from them. None leaves an attribute out."""
    values = [given.value if isinstance(given, Const) else given for given in inputs.values()]
    return new_node(op, name, inputs, **{**_implied(op, [dtype_of(value) for value in values]), **attrs})


def _implied(op: str, dtypes: list[DType]) -> dict[str, Value]:
    """The attributes that the inputs' dtypes and number determine, as the converter writes them."""
    row, left = ops.table()[op], list(dtypes)
    implied: dict[str, Value] = {}
    counts: dict[str, int] = {}
    for argument in row.inputs:
        spare = max(0, len(dtypes) - (len(row.inputs) - 1))
        count = spare if argument.listed else counts.get(argument.number) or spare if argument.number else 1
        taken, left = left[:count], left[count:]
        if argument.number:
            counts[argument.number] = count
        if taken and argument.kind in row.attrs:
            implied[argument.kind] = taken if argument.listed else taken[0]
    return {**implied, **counts}


def _ports(made: Node) -> tuple[str, ...]:
    count = ops.table()[made.op].output_count(made)
    return tuple(made.name if port == 0 else f"{made.name}:{port}" for port in range(count))


def array(value: Array, dtype: str | None = None) -> np.ndarray:
    """An array as the format has it: Python's floats are float32, its integers int32, bytes and str strings."""
    made = value if isinstance(value, np.ndarray) else np.array(value, dtype)
    if made.dtype.kind in "SU":
        return np.array([item if isinstance(item, bytes) else item.encode() for item in made.flat], object).reshape(
            made.shape
        )
    narrowed = {"float64": "float32", "int64": "int32", "complex128": "complex64"}
    if isinstance(value, np.ndarray) or dtype is not None:
        return made
    return made.astype(narrowed.get(made.dtype.name, made.dtype.name))


def dtype_of(value: np.ndarray) -> DType:
    """The dtype of a tensor with this value; an object array holds strings."""
    return DType.string if value.dtype == object else DType.parse(value.dtype.name)
