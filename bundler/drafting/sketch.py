"""A graph that is being written: the main graph, or the body of a function."""

from __future__ import annotations

from bundler.drafting.value import Value
from bundler.ir.fresh import FreshNames
from bundler.ir.nodes import Node

__all__ = ["Sketch"]


class Sketch:
    """Nodes in order, each under a name of its own.

    A function reads values of the graph around it: each becomes an argument, see `captured`.
    """

    def __init__(self, parent: Sketch | None = None) -> None:
        self.nodes: list[Node] = []
        self.fresh = FreshNames(())
        self.captured: dict[str, Value] = {}
        """Values of the graph around this function, by the argument that brings them."""
        self._parent = parent
        self._arguments: dict[tuple[str, int], Value] = {}

    def argument(self, name: str, like: Value) -> Value:
        """A new argument of this function, of the shape and dtype of `like`."""
        return like._replace(reference=self.fresh(name), home=self, mask=None)

    def own(self, value: Value) -> Value:
        """The value as nodes of this graph read it: one of the graph around comes in as an argument."""
        if value.home is self:
            return value
        if self._parent is None:
            raise AssertionError(f"{value.reference!r} is a value of a function that is read outside of it")
        key = value.reference, id(value.home)
        if key not in self._arguments:
            outer = self._parent.own(value)
            self._arguments[key] = self.argument("captured", outer)
            self.captured[self._arguments[key].reference] = outer
        return self._arguments[key]
