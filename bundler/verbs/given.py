"""What a verb is given: a manifest, and the means to convert its models."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bundler import manifest as manifests
from bundler import sources
from bundler.disk.reach import USUAL, Reach
from bundler.errors import Fault, LockError
from bundler.manifest import Manifest
from bundler.progress import SILENT, Progress

if TYPE_CHECKING:
    from bundler.convert.one import Converted
    from bundler.lockfile import Lock
    from bundler.report import Report

__all__ = ["Given", "given_by", "lock_of", "manifest_of", "refuse_stale"]

AnyManifest: TypeAlias = "Manifest | str | os.PathLike[str]"
"""A manifest, or the path of its file."""
Finish: TypeAlias = "Callable[[Sequence[Converted]], Sequence[Converted]]"
"""Maps the converted models, in the manifest's order, before they are linked: for what a manifest cannot say."""


def given_by(
    manifest: AnyManifest,
    jobs: int,
    scheduler: str | None = None,
    *,
    locked: bool = False,
    offline: bool = False,
    refresh: bool = False,
    progress: Progress = SILENT,
) -> Given:
    """What the caller of a verb gives. Raises ManifestError, and LockError if the lock is stale or missing."""
    read = manifest_of(manifest)
    lock = lock_of(read) if locked else None
    reach = Reach(offline, refresh, lock.pinned if lock else {})
    return Given(read, jobs, scheduler, progress, reach=reach, lock=lock)


def manifest_of(given: AnyManifest) -> Manifest:
    """The manifest itself, or the one in a file. Raises ManifestError with all faults of the file."""
    return given if isinstance(given, Manifest) else manifests.read(Path(given))


def lock_of(manifest: Manifest) -> Lock:
    """The lock of a manifest. LockError if there is none, or it was written for other settings."""
    from bundler import lockfile  # late: few builds have a lock

    path = lockfile.path_of(manifest.path)
    lock = lockfile.required(path, manifest.path)
    refuse_stale(lockfile.setting_faults(manifest, lock, path), manifest)
    return lock


def refuse_stale(faults: Iterable[Fault], manifest: Manifest) -> None:
    """Raise LockError if there is a fault."""
    listed = list(faults)
    if listed:
        hint = f"`bundler lock {manifest.path}` writes the lock anew"
        raise LockError.of([*listed[:-1], replace(listed[-1], hint=hint)])


@dataclass(frozen=True)
class Given:
    """A manifest, and how its models are converted.

    Up to `jobs` processes of this machine convert; or the workers of a dask cluster, whose scheduler has the address
    `scheduler`. `progress` receives steps and notes. `reach` limits what is fetched. With `lock`,
    the models must have the files in it.
    """

    manifest: Manifest
    jobs: int = 1
    scheduler: str | None = None
    progress: Progress = SILENT
    finish: Finish | None = None
    reach: Reach = USUAL
    lock: Lock | None = None

    def is_locked(self, report: Report) -> bool:
        """Whether the models of a bundle have the files in the lock; True without one."""
        return self.lock is None or all(model.digest == self.lock.digest(model.name) for model in report.models)

    def own_files(self) -> list[Path]:
        """The manifest's file, those that it names, and the sources that are not fetched: no output replaces them."""
        own = (sources.at_hand(spec.source, self.manifest.folder) for spec in self.manifest.models)
        checks = (self.manifest.folder / check.file for check in self.manifest.checks if check.file)
        return [self.manifest.path, *self.manifest.files, *checks, *filter(None, own)]
