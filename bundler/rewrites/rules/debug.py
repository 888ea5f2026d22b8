"""What a graph says about itself while it runs: nothing, in TensorFlow.js and in a served model."""

from __future__ import annotations

from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Tensor, attr, new_node
from bundler.rewrites.engine import rule

__all__ = ["drop_debug_op"]


@rule("Assert", "CheckNumerics", "Print", note="checks and prints are left out, as in TensorFlow.js")
def drop_debug_op(debug: Node, _graph: Graph) -> list[Node] | None:
    """Let pass what is checked or printed.

    An assertion has no output. Others may wait for it, perhaps in a loop: a NoOp stands there, in its frame. This is
    the first pass, before it is known that a node has the inputs of its op.

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
