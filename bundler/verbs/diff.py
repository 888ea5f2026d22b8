"""`diff`: what changed between two bundles, or between a bundle and what a manifest would become."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from bundler import sources
from bundler.differences import Side, difference
from bundler.manifest import Manifest
from bundler.progress import SILENT, Progress, step
from bundler.report.difference import Difference
from bundler.runtimes.tensorflow import Runtime
from bundler.verbs.given import Given, manifest_of
from bundler.verbs.linked import linked

__all__ = ["diff"]

Compared: TypeAlias = "Manifest | str | os.PathLike[str]"
"""A manifest, the path of its file, or the folder of a SavedModel."""


@sources.fetching_damaged_again
def diff(before: Compared, after: Compared, *, jobs: int = 1, progress: Progress = SILENT) -> Difference:
    """What is different between two bundles, and whether callers would notice: `Difference.breaks`.

    Each is the folder of a SavedModel, by bundler or another program, or a manifest (`.toml`), whose models are fetched
    and converted. A bundle without bundler's record has no known models.

    Args:
        before: The bundle that callers know.
        after: The bundle that is to replace it.
        jobs: Models of a manifest to convert at a time.
        progress: Receives the steps and notes of the run.

    Raises:
        BundlerError: If one of them cannot be read or converted, with all faults in `.faults`.
    """
    with _side(before, jobs, progress) as old, _side(after, jobs, progress) as new, step(progress, "compare"):
        return difference(old, new)


@contextmanager
def _side(compared: Compared, jobs: int, progress: Progress) -> Iterator[Side]:
    if not isinstance(compared, Manifest) and Path(compared).suffix != ".toml":
        yield Side.of_bundle(Path(compared))
        return
    manifest = manifest_of(compared)
    constants = replace(manifest, bundle=manifest.bundle.model_copy(update={"weights": "constants"}))
    with Runtime() as runtime, linked(Given(constants, jobs, progress=progress), runtime) as bundle:
        graphs = [("/".join(sorted(metagraph.tags)), metagraph.model) for metagraph in bundle.metagraphs]
        report = bundle.report()
        yield Side.of_graphs(str(manifest.path), graphs, report.models).with_steps(report)
