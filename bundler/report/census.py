"""What a graph holds: how many nodes of each op, and how many bytes of weights.

The numbers of a report are counted here, for a model, a manifest, a SavedModel and a frozen graph alike. A node counts
if TensorFlow runs it for a signature: nodes of the graph that is written, after the rewrites, with those of the
functions that it calls. Nodes that fill hash tables count; nodes that restore or save variables do not, and neither do
functions that only other loaders call. A weight that several models share counts for the first of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bundler.ir.dtypes import DType
from bundler.ir.model import Model
from bundler.ir.nodes import Node, Shape, attr, shape_of, shape_proto
from bundler.ir.prune import functions_called, running
from bundler.ir.shapes import element_count
from bundler.ir.weight import Weight

__all__ = ["Census", "count", "count_by"]


@dataclass
class Census:
    """The number of nodes by op, and the bytes of the values of constants and variables."""

    by_op: Counter[str] = field(default_factory=Counter)
    weight_bytes: int = 0

    @property
    def nodes(self) -> int:
        """The number of nodes."""
        return self.by_op.total()

    @property
    def ops(self) -> Mapping[str, int]:
        """The number of nodes by op, sorted by name."""
        return dict(sorted(self.by_op.items()))

    def add(self, nodes: Sequence[Node], weights: Mapping[str, Weight]) -> None:
        """Count nodes of a graph that has these weights."""
        self.by_op.update([node.op for node in nodes])
        self.weight_bytes += sum(_weight_bytes(node, weights) for node in nodes if node.op in _HOLDERS)


def count(model: Model) -> Census:
    """The census of a whole model."""
    return count_by(model, lambda _: "").get("", Census())


def count_by(model: Model, owner: Callable[[str], str], *, pruned: bool = False) -> dict[str, Census]:
    """A census for each owner of nodes of the graph, by their names. Functions count for each owner that calls them.

    Of a model that is `pruned` every node counts.
    """
    counted, parts = dict[str, Census](), dict[str, list[Node]]()
    needed = None if pruned else running(model)
    for node in model.graph.nodes:
        if needed is None or node.name in needed:
            parts.setdefault(owner(node.name), []).append(node)
    for name, nodes in parts.items():
        counted[name] = Census()
        counted[name].add(nodes, model.graph.weights)
        for function in functions_called(nodes, model.functions).values():
            counted[name].add(function.graph.nodes, function.graph.weights)
    return counted


_HOLDERS = ("Const", "VarHandleOp")
"""Ops of nodes that hold values."""


def _weight_bytes(node: Node, weights: Mapping[str, Weight]) -> int:
    """The bytes of a constant's or a variable's value, of strings those of the text."""
    if node.op == "VarHandleOp":
        return _size(attr(node, "dtype"), shape_of(attr(node, "shape", shape_proto(None))))
    weight = weights.get(node.name)
    if weight is not None:
        return weight.nbytes if weight.dtype != DType.string else weight.stored_bytes - 4 * weight.size
    if "value" not in node.attr:
        return 0
    tensor = node.attr["value"].tensor
    if tensor.dtype == DType.string:
        return sum(map(len, tensor.string_val))
    known = next((dtype for dtype in DType if dtype == tensor.dtype), None)
    return len(tensor.tensor_content) or _size(known, shape_of(tensor.tensor_shape))


def _size(dtype: DType | None, shape: Shape | None) -> int:
    """The bytes of numbers of a known shape that a tensor can have; 0 for any other value."""
    if dtype is None or shape is None or None in shape or not dtype.is_number:
        return 0
    return (element_count([size or 0 for size in shape]) or 0) * dtype.numpy.itemsize
