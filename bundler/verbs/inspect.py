"""`inspect`: what is in a model, a manifest, a SavedModel or a frozen graph, and around one of its nodes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bundler import sources
from bundler.disk.reach import Reach
from bundler.errors import within
from bundler.progress import SILENT, Progress
from bundler.report import Report

if TYPE_CHECKING:
    from bundler.inspection.neighbours import Searched
    from bundler.report.neighbourhood import Neighbourhood

__all__ = ["inspect", "neighbourhood"]


@sources.fetching_damaged_again
def inspect(source: str | os.PathLike[str], *, offline: bool = False, progress: Progress = SILENT) -> Report:
    """The signatures, ops and weights of a manifest (`.toml`), a SavedModel, a frozen graph, or models.

    Models are given by any source of a manifest; a folder, an archive or a package may hold several. Of a SavedModel by
    another program, each MetaGraph is a model of the report, named by its tags. A model that cannot be part of a bundle
    has a note that says why. With `offline`, sources are taken from the cache. Raises BundlerError.
    """
    text = os.fspath(source)
    if text.endswith(".toml"):
        from bundler.verbs.check import check

        return check(Path(text), offline=offline, progress=progress)
    from bundler.inspection.reports import report
    from bundler.inspection.subject import subjects

    return report(text, subjects(text, progress, Reach(offline)))


@sources.fetching_damaged_again
def neighbourhood(
    source: str | os.PathLike[str], node: str, *, offline: bool = False, progress: Progress = SILENT
) -> Neighbourhood:
    """A node with the nodes that it reads, that read it, and that a bundle has in its place.

    `source` is one that `inspect` takes. `node` is the name of a node, of a tensor (`y:1`), or of an input or output of
    a signature; of a manifest's models also with the model's name before it, as in the bundle (`posenet/y`). With
    `offline`, sources are taken from the cache. Raises BundlerError.
    """
    from bundler.inspection.neighbours import find, searched
    from bundler.inspection.subject import subjects

    text, reach = os.fspath(source), Reach(offline)
    if text.endswith(".toml"):
        return find(node, list(_of_manifest(Path(text), node, progress, reach)))
    return find(node, searched(subjects(text, progress, reach)))


def _of_manifest(path: Path, node: str, progress: Progress, reach: Reach) -> Iterator[Searched]:
    """The models of a manifest; only the one whose name stands before the node's, if there is one."""
    from bundler import manifest
    from bundler.inspection.neighbours import Searched
    from bundler.inspection.subject import web

    read = manifest.read(path)
    named = [spec for spec in read.models if spec.name == node.partition("/")[0]]
    for spec in named or read.models:
        with within(f"model {spec.name!r}"):
            found = web(spec, read.folder, read.compat(spec), progress, reach)
        yield Searched(spec.name, spec.source, found.model, found, scope=spec.name)
