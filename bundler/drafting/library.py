"""The main graph that is written, and the functions that its loops call."""

from __future__ import annotations

from bundler.drafting.sketch import Sketch
from bundler.errors import ConversionError
from bundler.ir.fresh import FreshNames
from bundler.ir.model import Function

__all__ = ["Library"]

_MOST_NODES = 200_000
"""Of one model, its functions included. NASNetLarge has 6,000."""


class Library:
    """The main graph, functions by name, and how many more nodes may be written."""

    def __init__(self) -> None:
        self.main = Sketch()
        self.functions: dict[str, Function] = {}
        self.function_names = FreshNames(())
        self._nodes_left = _MOST_NODES

    def spend_node(self) -> None:
        """Count a node. ConversionError for one too many."""
        self._nodes_left -= 1
        if self._nodes_left < 0:
            raise ConversionError("the model makes too large a graph", expected=f"at most {_MOST_NODES:,} nodes")
