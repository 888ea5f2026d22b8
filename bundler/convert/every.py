"""All models of a manifest, each converted on its own: in this process, in several, or on other machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bundler.convert import cluster, processes
from bundler.convert.one import Converted, Failed, Task, convert, find
from bundler.disk.cache import Cache, default_folder
from bundler.disk.digest import sha256
from bundler.disk.reach import USUAL, Reach
from bundler.errors import SourceError, together
from bundler.manifest import Manifest
from bundler.progress import Progress, step
from bundler.threads import Crew

if TYPE_CHECKING:
    from bundler.lockfile import Lock

__all__ = ["Digests", "convert_all", "digest_all", "raise_all", "tasks_of"]

Digests: TypeAlias = Mapping[str, str]
"""The sha256, in hex, of each file of a model, by its name."""


def convert_all(
    manifest: Manifest,
    jobs: int,
    progress: Progress,
    scheduler: str | None = None,
    *,
    reach: Reach = USUAL,
    lock: Lock | None = None,
) -> list[Converted]:
    """Every model, converted, in the manifest's order. Raises one error with the faults of all models.

    `scheduler` is the address of a dask scheduler whose workers convert; by default up to `jobs` processes here do.
    With `lock`, a model of other files than the lock has is a fault.
    """
    tasks = list(tasks_of(manifest, reach, lock))
    with step(progress, "fetch", count=len(tasks)), Crew(jobs) as crew:
        found = [_counted(progress, entry) for entry in crew.map(partial(find, progress=progress), tasks)]
    there = [(task, entry) for task, entry in zip(tasks, found) if not isinstance(entry, Failed)]
    with step(progress, "convert", count=len(there)):
        outcomes = _outcomes(there, jobs, scheduler, progress.advance)
    failed = [(entry, outcome) for (_, entry), outcome in zip(there, outcomes) if isinstance(outcome, Failed)]
    for entry, _ in failed:
        Cache(default_folder()).check(entry.parent)  # a damaged cache may be the reason: Damaged, fetched again
    lost = [entry for entry in found if isinstance(entry, Failed)]
    raise_all([*lost, *(outcome for _, outcome in failed)], manifest)
    return [outcome for outcome in outcomes if not isinstance(outcome, Failed)]


def digest_all(models: Mapping[str, Converted], crew: Crew) -> dict[str, Callable[[], Digests]]:
    """Functions that return the sha256 of a model's files, by the model's name. The crew computes; a call waits.

    A call raises SourceError if another machine read another file, Damaged if a cached file is not what was fetched.
    """
    found = {name: [crew.submit(sha256, made.folder / file) for file in made.files] for name, made in models.items()}
    return {name: partial(_digests, name, made, found[name]) for name, made in models.items()}


def tasks_of(manifest: Manifest, reach: Reach, lock: Lock | None = None) -> Iterator[Task]:
    """A task for each model, in the manifest's order."""
    for index, spec in enumerate(manifest.models):
        yield Task(
            spec=spec,
            signatures=manifest.signatures(spec),
            compat=manifest.compat(spec),
            base=manifest.folder,
            index=index,
            alone=manifest.bundle.layout == "tags",
            reach=reach,
            locked=None if lock is None else lock.files[spec.name],
        )


def _counted(progress: Progress, found: Path | Failed) -> Path | Failed:
    progress.advance()
    return found


def _outcomes(
    there: Sequence[tuple[Task, Path]], jobs: int, scheduler: str | None, done: Callable[[], object]
) -> list[Converted | Failed]:
    if scheduler is not None:
        return cluster.each([task for task, _ in there], [entry for _, entry in there], scheduler, done)
    here = [replace(task, found=entry) for task, entry in there]
    return processes.each(convert, here, [entry.stat().st_size for _, entry in there], jobs, done)


def raise_all(failed: Sequence[Failed], manifest: Manifest) -> None:
    """One error for all failures, with their lines in the manifest."""
    if failed:
        error = together([failure.error for failure in failed])
        error.faults = tuple(map(manifest.located, error.faults))
        raise error


def _digests(name: str, made: Converted, sums: Sequence[Future[str]]) -> Digests:
    found = {file: each.result() for file, each in zip(made.files, sums)}
    Cache(default_folder()).check(made.folder, found)
    read = found if made.digests is None else made.digests
    different = [file for file in found if read.get(file) != found[file]]
    if different:
        raise SourceError(
            "a worker read another file than the one here",
            where=f"model {name!r}: {made.folder / different[0]}",
            found=f"sha256:{found[different[0]]}",
            expected=f"sha256:{read.get(different[0])}",
        )
    return found
