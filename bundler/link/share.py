"""A weight that several models hold is kept once."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import replace
from operator import attrgetter, methodcaller
from typing import TypeAlias

from bundler.disk.shards import keeping_open
from bundler.ir.model import Graph, Model, TensorSpec
from bundler.ir.nodes import Node
from bundler.ir.weight import Weight

__all__ = ["read_marks", "share_weights"]

_Named: TypeAlias = "list[tuple[str, Weight]]"


def read_marks(model: Model) -> None:
    """Have the weights of the main graph keep their marks, which sharing looks at.

    Models are converted in parallel and joined by one thread.
    """
    for weight in model.graph.weights.values():
        _ = weight.mark


@keeping_open()
def share_weights(model: Model) -> Model:
    """Keep one of several equal weights of the main graph; the readers of the others read that one.

    A constant with control inputs belongs to a loop's frame and stays; so does one that callers may feed.
    """
    fed = {spec.tensor.node for signature in model.signatures.values() for spec in signature.inputs.values()}
    kept = dict(_duplicates(model.graph, fed))
    if not kept:
        return model
    # All spellings of the only output of a constant, so that a reader's inputs are looked up without being parsed.
    spelled = {f"{name}:0": first for name, first in kept.items()}
    spelled |= kept | {f"^{name}": f"^{first}" for name, first in kept.items()}
    graph = Graph(
        nodes=tuple(_reading(spelled, (node for node in model.graph.nodes if node.name not in kept))),
        weights={name: weight for name, weight in model.graph.weights.items() if name not in kept},
    )
    return replace(model, graph=graph).map_signatures(lambda spec: _of(spec, kept))


def _duplicates(graph: Graph, fed: Container[str]) -> Iterator[tuple[str, str]]:
    """Pairs of a weight's name and that of the first weight that equals it.

    All bytes are read only of weights whose forms and first bytes are equal.
    """
    bound = {node.name for node in graph.nodes if node.op == "Const" and node.input}
    free = [(name, weight) for name, weight in graph.weights.items() if name not in fed and name not in bound]
    alike = [free]
    for trait in _TRAITS:
        alike = [near for weights in alike for near in _groups(weights, trait)]
    for (first, _), *others in alike:
        yield from ((name, first) for name, _ in others)


_TRAITS = (attrgetter("mark"), attrgetter("form"), methodcaller("fingerprint"))
"""Weights that share all of these are equal. The first differ most often, the last takes the longest."""


def _groups(weights: _Named, trait: Callable[[Weight], object]) -> list[_Named]:
    """The weights that share a trait with others, by that trait."""
    found: dict[object, _Named] = {}
    for named in weights:
        found.setdefault(trait(named[1]), []).append(named)
    return [alike for alike in found.values() if len(alike) > 1]


def _reading(spelled: Mapping[str, str], nodes: Iterable[Node]) -> Iterator[Node]:
    """The nodes, which read the weights that are kept."""
    dropped = spelled.keys()
    for node in nodes:
        if dropped.isdisjoint(node.input):
            yield node
        else:
            yield node._replace(input=tuple([spelled.get(reference, reference) for reference in node.input]))


def _of(spec: TensorSpec, kept: Mapping[str, str]) -> TensorSpec:
    """The entry of a signature whose tensor is a weight that is kept."""
    return replace(spec, tensor=spec.tensor._replace(node=kept.get(spec.tensor.node, spec.tensor.node)))
