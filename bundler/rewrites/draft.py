"""Writing down the nodes that stand for one."""

from __future__ import annotations

import numpy as np

from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Tensor, Value, constant, new_node

__all__ = ["Draft", "scalar"]

_INT32 = range(-(1 << 31), 1 << 31)


class Draft:
    """The nodes for `replaced`, in order, under names that begin with its own.

    Each method adds a node; `constant`, `op`, `int32` and `same` return its name, to be an input of the next. Constants
    stand in the loop of the replaced node's first input. The first op gets the replaced node's control inputs.
    """

    def __init__(self, replaced: Node, graph: Graph) -> None:
        self.inputs = [reference for reference in replaced.input if not reference.startswith("^")]
        self._waits = [reference for reference in replaced.input if reference.startswith("^")]
        self._name = replaced.name
        self._frame = _frame_of(self.inputs[0], graph)
        self._nodes: list[Node] = []

    def constant(self, name: str, value: object) -> str:
        """A constant: an array with its dtype, integers as int32. Raises ConversionError if one has more bits."""
        array = value if isinstance(value, np.ndarray) else _int32(value)
        return self._add(constant(f"{self._name}/{name}", array, control=self._frame))

    def op(self, op: str, name: str, *inputs: str, **attrs: Value) -> str:
        """A node on the way to the last one."""
        return self._add(new_node(op, f"{self._name}/{name}", [*inputs, *self._take_waits()], **attrs))

    def int32(self, op: str, name: str, *inputs: str, **attrs: Value) -> str:
        """A node of an op that computes with int32."""
        return self.op(op, name, *inputs, T=DType.int32, **attrs)

    def same(self, name: str, reference: str, dtype: DType) -> str:
        """The tensor again, as the larger of itself and itself.

        TensorFlow's optimizers remove Identity nodes. They do not know that this node changes nothing, so a pattern
        that they look for ends here. NaN, infinities and signed zeros stay as they are.
        """
        return self.op("Maximum", name, reference, reference, T=dtype)

    def end(self, op: str, *inputs: str, **attrs: Value) -> list[Node]:
        """All nodes, the last of which takes the replaced one's name."""
        self._add(new_node(op, self._name, [*inputs, *self._take_waits()], **attrs))
        return self._nodes

    def _take_waits(self) -> list[str]:
        waits, self._waits = self._waits, []
        return waits

    def _add(self, node: Node) -> str:
        self._nodes.append(node)
        return str(node.name)


def scalar(number: int, dtype: DType) -> np.ndarray:
    """A number as an array of shape [] and that dtype. Raises ConversionError if NumPy lacks it (bfloat16, string)."""
    if not dtype.is_number:
        raise ConversionError("no constant of this dtype can be made", found=str(dtype), expected="a dtype of numbers")
    return np.array(number, dtype.numpy)


def _int32(value: object) -> np.ndarray:
    numbers = np.array(value, object)
    if any(number not in _INT32 for number in numbers.flat):
        raise ConversionError("its sizes are too large", found=str(value)[:60], expected="integers of 32 bits")
    return numbers.astype(np.int32)


def _frame_of(reference: str, graph: Graph) -> list[str]:
    """The nodes that a new constant waits for, to stand in the same loop as the tensor `reference`.

    A constant without control inputs is outside of every version 1 loop, and TensorFlow refuses an op whose inputs
    come from different frames.
    """
    return [Tensor.parse(reference).node] if graph.has_loops else []
