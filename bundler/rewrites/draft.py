"""Writing down the several nodes that stand for one."""

from __future__ import annotations

import numpy as np

from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Value, constant, new_node
from bundler.rewrites.engine import frame_of

__all__ = ["Draft"]

_INT32 = range(-(1 << 31), 1 << 31)


def _int32(value: object) -> np.ndarray:
    numbers = np.array(value, object)
    if any(number not in _INT32 for number in numbers.flat):
        raise ConversionError("its sizes are too large", found=str(value)[:60], expected="integers of 32 bits")
    return numbers.astype(np.int32)


class Draft:
    """The nodes for `replaced`, in order, under names that begin with its own.

    Every call adds one and gives its name, to be the input of the next. Constants stand in the replaced node's loop;
    the first op waits for what the replaced node waited for.
    """

    def __init__(self, replaced: Node, graph: Graph) -> None:
        self.inputs = [reference for reference in replaced.input if not reference.startswith("^")]
        self._waits = [reference for reference in replaced.input if reference.startswith("^")]
        self._name = replaced.name
        self._frame = frame_of(self.inputs[0], graph)
        self._nodes: list[Node] = []

    def constant(self, name: str, value: object) -> str:
        """A constant: an array as it is, whole numbers as int32. Raises ConversionError if one has more bits."""
        array = value if isinstance(value, np.ndarray) else _int32(value)
        return self._add(constant(f"{self._name}/{name}", array, control=self._frame))

    def op(self, op: str, name: str, *inputs: str, **attrs: Value) -> str:
        """A node on the way."""
        return self._add(new_node(op, f"{self._name}/{name}", [*inputs, *self._take_waits()], **attrs))

    def same(self, name: str, reference: str, dtype: DType) -> str:
        """The tensor again, as the larger of itself and itself.

        TensorFlow's optimizers remove Identity nodes. They do not know that this node changes nothing, so a pattern
        that they look for ends here. NaN, infinities and signed zeros stay as they are.
        """
        return self.op("Maximum", name, reference, reference, T=dtype)

    def end(self, op: str, *inputs: str, **attrs: Value) -> list[Node]:
        """The node that takes the replaced one's place, after all others."""
        self._add(new_node(op, self._name, [*inputs, *self._take_waits()], **attrs))
        return self._nodes

    def _take_waits(self) -> list[str]:
        waits, self._waits = self._waits, []
        return waits

    def _add(self, made: Node) -> str:
        self._nodes.append(made)
        return str(made.name)
