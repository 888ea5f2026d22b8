"""One graph, one library of functions and one set of signatures from those of many models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bundler.errors import Fault, ManifestError
from bundler.ir.model import Graph, Model
from bundler.link.scope import scoped
from bundler.link.share import share_weights

__all__ = ["join", "link"]


def link(models: Mapping[str, Model]) -> Model:
    """One model from several, by the name that each is to have as its scope.

    Raises ManifestError when two models have a signature of the same key.
    """
    return join({name: scoped(model, name) for name, model in models.items()})


def join(models: Mapping[str, Model]) -> Model:
    """One model from several, by name, that are in their scopes already."""
    _check_keys(models)
    return share_weights(_join(list(models.values())))


def _check_keys(models: Mapping[str, Model]) -> None:
    owners: dict[str, list[str]] = {}
    for name, model in models.items():
        for key in model.signatures:
            owners.setdefault(key, []).append(name)
    faults = [
        Fault(f"two models have a signature {key!r}", found=" and ".join(names))
        for key, names in owners.items()
        if len(names) > 1
    ]
    if faults:
        raise ManifestError.of(faults)


def _join(parts: Sequence[Model]) -> Model:
    return Model(
        graph=Graph(
            nodes=tuple(node for part in parts for node in part.graph.nodes),
            weights={name: weight for part in parts for name, weight in part.graph.weights.items()},
        ),
        signatures={key: signature for part in parts for key, signature in part.signatures.items()},
        functions={name: function for part in parts for name, function in part.functions.items()},
        initializers=tuple(name for part in parts for name in part.initializers),
        producer=max(part.producer for part in parts),
    )
