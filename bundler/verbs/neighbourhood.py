"""`neighbourhood`: a node of a model, a manifest, a SavedModel or a frozen graph, and what surrounds it."""

from __future__ import annotations

import os
from pathlib import Path

from bundler import manifest, sources
from bundler.errors import within
from bundler.inspection.neighbours import Searched, find, searched
from bundler.inspection.subject import subjects, web
from bundler.report.neighbourhood import Neighbourhood

__all__ = ["neighbourhood"]


@sources.fetching_damaged_again
def neighbourhood(source: str | os.PathLike[str], node: str) -> Neighbourhood:
    """A node with the nodes that it reads, that read it, and that a bundle has in its place.

    `source` is one that `inspect` takes. `node` is the name of a node, of a tensor (`y:1`), or of an input or output of
    a signature; of a manifest's models also with the model's name before it, as in the bundle (`posenet/y`). Raises
    BundlerError.
    """
    text = os.fspath(source)
    return find(node, _of_manifest(Path(text), node) if text.endswith(".toml") else searched(subjects(text)))


def _of_manifest(path: Path, node: str) -> list[Searched]:
    """The models of a manifest; only the one whose name stands before the node's, if there is one."""
    read = manifest.read(path)
    scope = node.partition("/")[0]
    specs = [spec for spec in read.models if spec.name == scope] or read.models
    models = []
    for spec in specs:
        with within(f"model {spec.name!r}"):
            found = web(spec, read.folder, read.compat(spec))
        models.append(Searched(spec.name, spec.source, found.model, found, scope=spec.name))
    return models
