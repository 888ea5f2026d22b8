"""How a rule for one node becomes a pass over a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

from bundler.errors import BundlerError, within
from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, free_name

__all__ = ["Declined", "Each", "Pass", "Rule", "rule"]


class Declined(NamedTuple):
    """A rule's answer for a node that it should replace and cannot; `why` becomes a note of the model."""

    why: str


Outcome: TypeAlias = "Sequence[Node] | Declined | None"
"""What a rule gives for a node: nodes in its place, a reason why not, or None if the node is right as it is.

The last of the nodes has the replaced node's name.
"""


class Rule(Protocol):
    """A function from a node of one of `ops`, and the graph as it was before the pass, to its `Outcome`.

    With `beside`, it has nothing to replace in a graph without nodes of these ops. A model in which it replaces nodes
    gets `note`, if there is one, with the number of those nodes by op.
    """

    __name__: str
    ops: Collection[str]
    beside: Collection[str]
    note: str

    def __call__(self, node: Node, graph: Graph, /) -> Outcome: ...


class Pass(Protocol):
    """A function from a model to a model of the same meaning: the same object if there was nothing to change."""

    @property
    def __name__(self) -> str: ...

    def __call__(self, model: Model, /) -> Model: ...


def rule(*ops: str, beside: Collection[str] = (), note: str = "") -> Callable[[Callable[[Node, Graph], Outcome]], Rule]:
    """Declare a function to be a rule for nodes of these ops, in graphs that have an op of `beside`, with this note."""

    def declare(function: Callable[[Node, Graph], Outcome]) -> Rule:
        function.ops = frozenset(ops)  # type: ignore[attr-defined]
        function.beside = frozenset(beside)  # type: ignore[attr-defined]
        function.note = note  # type: ignore[attr-defined]
        return function  # type: ignore[return-value]

    return declare


@dataclass(frozen=True)
class Each:
    """The pass that applies a rule to each node of a model's graph and of its functions."""

    rule: Rule

    @property
    def __name__(self) -> str:
        return self.rule.__name__

    def __call__(self, model: Model, /) -> Model:
        walk = _Walk(self.rule)
        rewritten = model.with_graphs(walk.over)
        notes = list(walk.notes())
        return rewritten.noting(notes) if notes else rewritten


@dataclass
class _Walk:
    """A rule on its way over the graphs of a model, and what it did so far: numbers of nodes, by note and op."""

    rule: Rule
    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def over(self, graph: Graph) -> Graph:
        """The graph after the rule; itself if the rule replaces none of its nodes."""
        if self.rule.beside and graph.ops.isdisjoint(self.rule.beside):
            return graph
        outcomes = ((node.name, self._nodes_for(node, graph)) for node in graph.of(self.rule.ops))
        replaced = {name: _distinct(nodes, graph.by_name) for name, nodes in outcomes if nodes is not None}
        return graph.replacing(replaced) if replaced else graph

    def notes(self) -> Iterator[str]:
        for note, by_op in self.counts.items():
            yield f"{note}: {', '.join(f'{count} {op}' for op, count in sorted(by_op.items()))}"

    def _nodes_for(self, node: Node, graph: Graph) -> Sequence[Node] | None:
        """The nodes in place of `node`; None if it stays."""
        outcome = _outcome(self.rule, node, graph)
        if isinstance(outcome, Declined):
            self._count(node, outcome.why)
            return None
        if outcome is not None and self.rule.note:
            self._count(node, self.rule.note)
        return outcome

    def _count(self, node: Node, note: str) -> None:
        self.counts.setdefault(note, Counter())[node.op] += 1


def _outcome(rule: Rule, node: Node, graph: Graph) -> Outcome:
    try:
        return rule(node, graph)
    except BundlerError:
        with within(f"node {node.name!r}"):  # entered for errors alone: rules are applied a hundred thousand times
            raise


def _distinct(nodes: Sequence[Node], taken: Collection[str]) -> Sequence[Node]:
    """The nodes in place of one, those before the last under names that no node of the graph has yet."""
    renamed = {node.name: free_name(node.name, taken) for node in nodes[:-1] if node.name in taken}
    return [_renamed(node, renamed) for node in nodes] if renamed else nodes


def _renamed(node: Node, names: Mapping[str, str]) -> Node:
    reading = node.reading(lambda tensor: tensor._replace(node=names.get(tensor.node, tensor.node)))
    return reading._replace(name=names.get(node.name, node.name))
