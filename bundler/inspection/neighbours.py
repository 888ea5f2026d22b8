"""A node of a graph by its name, and its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from bundler.errors import BundlerError, ConversionError, closest
from bundler.inspection.notation import node_report
from bundler.inspection.subject import Frozen, Saved, Subject, Web
from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, Tensor
from bundler.report.neighbourhood import Neighbourhood, NodeReport
from bundler.rewrites.changes import Replacements

__all__ = ["Searched", "find", "searched"]

_LISTED = 5
"""Names that a hint lists."""


@dataclass(frozen=True)
class Searched:
    """A model among those that are searched: its graph as its source has it.

    `origin` is the subject of a TensorFlow.js model. `scope` goes before the names of its nodes in a bundle.
    """

    name: str
    source: str
    model: Model
    origin: Web | None = None
    scope: str = ""


class _Place(NamedTuple):
    """A node: the model, the function if it is in one, the graph."""

    searched: Searched
    function: str
    graph: Graph
    node: Node


def searched(subjects: Sequence[Subject]) -> list[Searched]:
    """The models of the subjects that a source holds."""
    return [each for subject in subjects for each in _searched(subject, scoped=len(subjects) > 1)]


def _searched(subject: Subject, scoped: bool) -> Iterator[Searched]:
    if isinstance(subject, Web):
        scope = subject.name if scoped else ""
        yield Searched(subject.name, subject.source, subject.model, subject, scope)
    elif isinstance(subject, Saved):
        yield from (Searched(", ".join(graph.tags), subject.source, graph.model) for graph in subject.graphs)
    elif isinstance(subject, Frozen):
        yield Searched(subject.path.stem, subject.source, subject.model)


def find(asked: str, models: Sequence[Searched]) -> Neighbourhood:
    """The node of a name in one of the models, with its neighbours.

    The name is that of a node, of a tensor (`y:1`), or of an input or output of a signature; a scope that only one node
    has it in may be left out. Raises BundlerError, with similar names as hint, if there is none, or several models have
    one.
    """
    for rule in (_named, _of_signatures, _ending, _rewritten):
        found = [place for each in models for place in rule(asked, each)]
        if len(found) == 1:
            return _neighbourhood(found[0])
        if found:
            raise BundlerError(f"several nodes are meant by {asked!r}", found=_listed(map(_full, found)))
    raise BundlerError(f"there is no node {asked!r}", where=_sources(models), hint=_hint(asked, models))


# Rules: what a name may mean ---------------------------------------------------------------------


def _named(asked: str, searched: Searched) -> Iterator[_Place]:
    """The node of exactly this name."""
    scoped = asked.removeprefix(f"{searched.scope}/") if searched.scope else asked
    names = {asked, scoped, Tensor.parse(asked).node, Tensor.parse(scoped).node}
    yield from _first_of(searched, names.__contains__)


def _of_signatures(asked: str, searched: Searched) -> Iterator[_Place]:
    """The nodes of the inputs and outputs of this name, each once."""
    signatures = searched.model.signatures.values()
    sides = (side for signature in signatures for side in (signature.inputs, signature.outputs))
    names = {side[asked].tensor.node for side in sides if asked in side}
    yield from _first_of(searched, names.__contains__)


def _ending(asked: str, searched: Searched) -> Iterator[_Place]:
    """The nodes whose names end in the asked one, after a slash."""
    ending = f"/{Tensor.parse(asked).node}"
    yield from _first_of(searched, lambda name: name.endswith(ending))


def _first_of(searched: Searched, is_meant: Callable[[str], bool]) -> Iterator[_Place]:
    """The nodes that are meant: of the graph, and only if it has none, of the functions, which may repeat its names."""
    own = [_Place(searched, "", searched.model.graph, node) for node in _meant(searched.model.graph, is_meant)]
    yield from own
    for name, function in searched.model.functions.items() if not own else ():
        yield from (_Place(searched, name, function.graph, node) for node in _meant(function.graph, is_meant))


def _meant(graph: Graph, is_meant: Callable[[str], bool]) -> Iterator[Node]:
    return (node for node in graph.nodes if is_meant(node.name))


def _rewritten(asked: str, searched: Searched) -> Iterator[_Place]:
    """A node that only the graph in a bundle has."""
    portable = _portable(searched)
    if portable is not None:
        other = Searched(searched.name, searched.source, portable, scope=searched.scope)
        yield from [*_named(asked, other)] or _ending(asked, other)


# What surrounds a node ---------------------------------------------------------------------------


def _neighbourhood(place: _Place) -> Neighbourhood:
    model, function, graph, node = place
    read = dict.fromkeys(tensor.node for tensor in graph.inputs[node.name])
    return Neighbourhood(
        model=model.name,
        source=model.source,
        function=function,
        node=node_report(node, graph),
        reads=_reports((graph.by_name[name] for name in read if name in graph.by_name), graph),
        read_by=_reports(graph.consumers.get(node.name, ()), graph),
        becomes=_becomes(place),
        entries=() if function else tuple(_entries(node.name, model.model)),
    )


def _becomes(place: _Place) -> tuple[NodeReport, ...]:
    """The nodes that a bundle has in the place of one of TensorFlow.js."""
    portable = _portable(place.searched)
    if portable is None:
        return ()
    inner = portable.functions.get(place.function)
    after = portable.graph if not place.function else inner.graph if inner is not None else Graph(())
    return _reports(Replacements(place.graph, after).of(place.node), after)


def _portable(searched: Searched) -> Model | None:
    """The graph of a TensorFlow.js model in a bundle; None for another, or one that cannot be part of a bundle."""
    try:
        return None if searched.origin is None else searched.origin.portable
    except ConversionError:
        return None


def _entries(name: str, model: Model) -> Iterator[str]:
    for key, signature in model.signatures.items():
        sides = (*signature.inputs.items(), *signature.outputs.items())
        yield from (f"{key}: {entry}" for entry, spec in sides if spec.tensor.node == name)


def _reports(nodes: Iterable[Node], graph: Graph) -> tuple[NodeReport, ...]:
    return tuple(node_report(node, graph) for node in nodes)


# Errors ------------------------------------------------------------------------------------------


def _hint(asked: str, models: Sequence[Searched]) -> str:
    """Names that contain the asked one, else the nearest one, else the inputs and outputs."""
    graphs = ((each, graph) for each in models for graph in each.model.graphs)
    names = list(dict.fromkeys(_scoped(node.name, each) for each, graph in graphs for node in graph.nodes))
    containing = [name for name in names if asked.lower() in name.lower()]
    if containing:
        return f"names that contain it: {_listed(containing)}"
    return closest(asked, names) or f"inputs and outputs are {_listed(dict.fromkeys(_keys(models)))}"


def _keys(models: Sequence[Searched]) -> Iterator[str]:
    for signature in (signature for each in models for signature in each.model.signatures.values()):
        yield from (*signature.inputs, *signature.outputs)


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _LISTED:,} more" if len(listed) > _LISTED else ""
    return ", ".join(islice(listed, _LISTED)) + more


def _full(place: _Place) -> str:
    """The name by which a node can be asked for among all models."""
    return _scoped(place.node.name, place.searched)


def _scoped(name: str, searched: Searched) -> str:
    return f"{searched.scope}/{name}" if searched.scope else name


def _sources(models: Sequence[Searched]) -> str:
    return models[0].source if len({each.source for each in models}) == 1 else ""
