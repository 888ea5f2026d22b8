"""Checks and messages while a graph runs. TensorFlow.js has none, and neither has the bundle."""

from __future__ import annotations

from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Tensor, attr, new_node
from bundler.rewrites.engine import rule

__all__ = ["drop_debug_op"]


@rule("Assert", "CheckNumerics", "Print", note="checks and prints are left out, as in TensorFlow.js")
def drop_debug_op(debug: Node, _graph: Graph) -> list[Node] | None:
    """Pass on what is checked or printed.

    An assertion has no output, but other nodes may wait for it, perhaps in a loop: it becomes a NoOp in its frame. Ops
    are not checked yet, so that a node may lack inputs.

    Before:
        y = Print(x, message)
    After:
        y = Identity(x)

    Before:
        y = Assert(condition, message)
    After:
        y = NoOp(^condition)
    """
    if not debug.input:
        return None
    x, *others = debug.input
    control = [reference for reference in others if reference.startswith("^")]
    if debug.op == "Assert":
        return [new_node("NoOp", debug.name, dict.fromkeys([str(Tensor(Tensor.parse(x).node, -1)), *control]))]
    return [new_node("Identity", debug.name, [x, *control], T=attr(debug, "T"))]
