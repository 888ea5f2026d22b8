"""Where nodes are written: a graph, and how their names begin."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bundler import ops
from bundler.drafting.library import Library
from bundler.drafting.sketch import Sketch
from bundler.drafting.value import Operand, Value, broadcast
from bundler.errors import ConversionError
from bundler.ir import nodes
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Shape

__all__ = ["Scope"]

_INT32 = range(-(1 << 31), 1 << 31)


@dataclass(frozen=True)
class Scope(ABC):
    """A place in a graph."""

    library: Library
    sketch: Sketch

    @property
    @abstractmethod
    def name(self) -> str:
        """How the names of nodes begin."""

    def op(self, op: str, *inputs: Operand, shape: Shape | None = None, name: str = "", **attrs: nodes.Value) -> Value:
        """Write a node and return its first output.

        `shape` is that of the output; without it the op computes element by element, and the inputs are broadcast.
        Attributes that the inputs determine (dtypes, counts) are filled in. Numbers among the inputs become constants.
        """
        read = self._operands(op, inputs)
        given = broadcast(value.shape for value in read) if shape is None else shape
        return self.outputs(op, *read, shapes=[given], name=name, **attrs)[0]

    def outputs(
        self, op: str, *inputs: Value, shapes: Sequence[Shape], name: str = "", **attrs: nodes.Value
    ) -> tuple[Value, ...]:
        """Write a node and return as many outputs as `shapes` has entries."""
        self.library.spend_node()
        read = [self.sketch.own(value) for value in inputs]
        known = {**_typed(op, read), **attrs}
        made = nodes.new_node(op, self.fresh(name or op), [value.reference for value in read], **known)
        self.sketch.nodes.append(made)
        dtypes = [ops.output_dtype(made, port) or read[-1].dtype for port in range(len(shapes))]
        references = [str(nodes.Tensor(made.name, port)) for port in range(len(shapes))]
        return tuple(map(Value, references, map(tuple, shapes), dtypes, [self.sketch] * len(shapes)))

    def constant(self, value: object, name: str = "Const") -> Value:
        """A constant: an array as it is, integers as int32, other numbers as float32."""
        array = value if isinstance(value, np.ndarray) else _array(value)
        self.library.spend_node()
        made = nodes.constant(self.fresh(name), array)
        self.sketch.nodes.append(made)
        return Value(made.name, array.shape, DType.parse(array.dtype.name), self.sketch)

    def fresh(self, name: str) -> str:
        """A name of this scope that no node of the graph has yet."""
        return self.sketch.fresh("/".join(filter(None, (self.name, name))))

    def _operands(self, op: str, inputs: Sequence[Operand]) -> list[Value]:
        dtypes = [value.dtype for value in inputs if isinstance(value, Value)]
        return [
            value if isinstance(value, Value) else self.constant(np.array(value, dtypes[0].numpy), f"{op}/number")
            for value in inputs
        ]


def _array(value: object) -> np.ndarray:
    """Integers as int32, other numbers as float32. ConversionError for integers of more bits."""
    array = np.asarray(value)
    if array.dtype.kind != "i" and array.dtype.kind != "O" and array.size:
        return array.astype(array.dtype if array.dtype.kind == "b" else np.float32)
    numbers = np.array(value, object)
    if any(number not in _INT32 for number in numbers.flat):
        raise ConversionError("its sizes are too large", found=str(value)[:60], expected="integers of 32 bits")
    return numbers.astype(np.int32)


def _typed(op: str, inputs: Sequence[Value]) -> dict[str, nodes.Value]:
    """The attributes that hold the dtypes and the number of an op's inputs."""
    row = ops.table().get(op)
    if row is None:
        return {"T": inputs[-1].dtype}
    found: dict[str, nodes.Value] = {}
    rest = list(inputs)
    for argument in row.inputs:
        count = 1 if argument.is_single else len(inputs) - len(row.inputs) + 1
        taken, rest = rest[:count], rest[count:]
        if argument.number:
            found[argument.number] = count
        if argument.kind in row.attrs:
            found[argument.kind] = [value.dtype for value in taken] if argument.listed else taken[0].dtype
    return found
