"""Ops that TFLite runs only with TensorFlow's kernels, written with its own, the builtins."""

from __future__ import annotations

from bundler.ir.model import Graph
from bundler.ir.nodes import Node, attr, new_node
from bundler.rewrites.engine import rule

__all__ = ["clip_by_comparing"]


@rule("ClipByValue")
def clip_by_comparing(clip: Node, _graph: Graph) -> list[Node]:
    """Write ClipByValue, which has no builtin, as Minimum and Maximum.

    Before:
        y = ClipByValue(x, low, high)
    After:
        y/Minimum = Minimum(x, high)
        y = Maximum(y/Minimum, low)
    """
    x, low, high, *control = clip.input
    dtype = attr(clip, "T")
    below = new_node("Minimum", f"{clip.name}/Minimum", [x, high, *control], T=dtype)
    return [below, new_node("Maximum", clip.name, [below.name, low], T=dtype)]
