"""One of the two bundles that are compared: a SavedModel on disk, or what a manifest would become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bundler.bundle.places import folder_of
from bundler.differences.nodes import needed_nodes
from bundler.differences.signatures import Keyed
from bundler.differences.steps import Steps, renamed
from bundler.ir.model import Model
from bundler.ir.nodes import Node
from bundler.ir.weight import Weight
from bundler.report import ModelReport, Report, record
from bundler.report.census import count
from bundler.stored.checkpoint import read_checkpoint
from bundler.stored.metagraphs import read_graphs
from bundler.stored.weights import weights_of

__all__ = ["Side"]


@dataclass(frozen=True)
class Side:
    """What is compared. `models` is None if it is not known; `tags` are the sets of tags of the MetaGraphs."""

    source: str
    tags: tuple[str, ...]
    signatures: Keyed
    models: Mapping[str, ModelReport] | None
    weights: Mapping[str, Weight]
    nodes: Mapping[str, Node]
    ops: Counter[str]
    bytes: int
    steps: Steps = field(default_factory=dict)

    @classmethod
    def of_bundle(cls, source: Path) -> Side:
        """A SavedModel in a folder, by any writer. Raises SourceError if there is none, or it is damaged."""
        folder = folder_of(source)
        graphs, checkpoint, kept = read_graphs(folder), read_checkpoint(folder), record.recorded(folder)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        models = None if kept is None else list(kept.report.models)
        tagged = [("/".join(graph.tags), graph.model) for graph in graphs]
        return cls._of(str(source), tagged, models, checkpoint, size).with_steps(kept.report if kept else None)

    @classmethod
    def of_graphs(cls, source: str, graphs: Iterable[tuple[str, Model]], models: Iterable[ModelReport]) -> Side:
        """Linked graphs with their tags, before they are written. Their weights are constants."""
        return cls._of(source, list(graphs), list(models), {}, 0)

    def with_steps(self, report: Report | None) -> Side:
        """The same, with the steps of composed signatures that a report has."""
        return replace(
            self, steps={each.key: each.steps for each in (report.signatures if report else ()) if each.steps}
        )

    def moved(self, scopes: Mapping[str, str]) -> Side:
        """The same, with other beginnings of the names of nodes that belong to steps.

        A record may lie: unchanged if a node would take the name of another, or the tensor of a signature another name.
        """
        ends = [spec.tensor.node for signature in self.signatures.values() for spec in signature.specs]
        weights = {renamed(name, scopes): each for name, each in self.weights.items()}
        nodes = {renamed(name, scopes): _reading(node, scopes) for name, node in self.nodes.items()}
        if len(weights) < len(self.weights) or len(nodes) < len(self.nodes):
            return self
        return self if any(renamed(end, scopes) != end for end in ends) else replace(self, nodes=nodes, weights=weights)

    @classmethod
    def _of(
        cls,
        source: str,
        tagged: list[tuple[str, Model]],
        models: list[ModelReport] | None,
        checkpoint: Mapping[str, Weight],
        size: int,
    ) -> Side:
        return cls(
            source=source,
            tags=tuple(tags for tags, _ in tagged),
            signatures={
                (tags, key): signature for tags, model in tagged for key, signature in model.signatures.items()
            },
            models=None if models is None else {model.name: model for model in models},
            weights=dict(_weights(tagged, models, checkpoint)),
            nodes=dict(_nodes(tagged)),
            ops=sum((count(model).by_op for _, model in tagged), Counter()),
            bytes=size,
        )


def _reading(node: Node, scopes: Mapping[str, str]) -> Node:
    """A node under its new name, which reads others under theirs."""
    inputs = tuple(renamed(each, scopes) for each in node.input)
    return node._replace(name=renamed(node.name, scopes), input=inputs)


def _nodes(tagged: list[tuple[str, Model]]) -> Iterator[tuple[str, Node]]:
    """The nodes by name. Of several MetaGraphs, each has its tags before its nodes."""
    for tags, model in tagged:
        prefix = f"{tags}: " if len(tagged) > 1 else ""
        yield from ((prefix + name, node) for name, node in needed_nodes(model))


def _weights(
    tagged: list[tuple[str, Model]], models: list[ModelReport] | None, checkpoint: Mapping[str, Weight]
) -> Iterator[tuple[str, Weight]]:
    """The weights by name. Of several MetaGraphs, each has a scope: that of its variables, if it is known."""
    known = models is not None and len(models) == len(tagged)
    scopes = [model.name for model in models or ()] if known else [tags for tags, _ in tagged]
    for (_, model), scope in zip(tagged, scopes):
        prefix = f"{scope}/" if len(tagged) > 1 else ""
        for name, weight in weights_of(model, checkpoint).items():
            yield name if name.startswith(prefix) else prefix + name, weight
