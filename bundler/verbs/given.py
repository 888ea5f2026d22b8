"""What a verb is given: a manifest, and the means to convert its models."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bundler import manifest as manifests
from bundler import sources
from bundler.manifest import Manifest
from bundler.progress import SILENT, Progress

if TYPE_CHECKING:
    from bundler.convert.one import Converted

__all__ = ["Given", "manifest_of"]

AnyManifest: TypeAlias = "Manifest | str | os.PathLike[str]"
"""A manifest, or the path of its file."""
Finish: TypeAlias = "Callable[[Sequence[Converted]], Sequence[Converted]]"
"""Maps the converted models, in the manifest's order, before they are linked: for what a manifest cannot say."""


def manifest_of(given: AnyManifest) -> Manifest:
    """The manifest itself, or the one in a file. Raises ManifestError with all faults of the file."""
    return given if isinstance(given, Manifest) else manifests.read(Path(given))


@dataclass(frozen=True)
class Given:
    """A manifest, and how its models are converted.

    Up to `jobs` processes of this machine convert; or the workers of a dask cluster, whose scheduler has the address
    `scheduler`. `progress` receives steps and notes.
    """

    manifest: Manifest
    jobs: int = 1
    scheduler: str | None = None
    progress: Progress = SILENT
    finish: Finish | None = None

    def own_files(self) -> list[Path]:
        """The manifest's file, its labels' files, and the sources that are not fetched: no output may replace them."""
        own = (sources.at_hand(spec.source, self.manifest.folder) for spec in self.manifest.models)
        return [self.manifest.path, *self.manifest.labels, *filter(None, own)]
