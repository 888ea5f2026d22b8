"""Conversions on other machines: the workers of a dask cluster.

A worker gets a task and returns structure; weights stay in its files. It finds the source by itself, in a shared folder
under the same path, or on the web through its own cache. The machine that writes the bundle has found the same source.
The references to weights are changed to its files, and the outcome has the sha256 of what the worker read.

A worker that dies costs time only: the scheduler gives its tasks to another.

Tasks go through `Client.map`, not through joblib's backend "dask". Seen with joblib 1.6 and distributed 2026.8: if the
cluster has one thread, joblib does all the work on this machine; and it waits without an end for a task that the
scheduler gives up, as no callback is called for a future that failed (joblib/_dask.py, `_collect`).
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from bundler import __version__
from bundler.convert.one import Converted, Failed, Task, convert
from bundler.disk.digest import file_digests
from bundler.disk.shards import File, Group, Shard
from bundler.errors import BundlerError, Fault, ManifestError, SourceError
from bundler.ir.model import Graph

__all__ = ["each"]

_PATIENCE = 30
"""Seconds that a scheduler has to answer, and to have a worker."""


def each(
    tasks: Sequence[Task], entries: Sequence[Path], scheduler: str, done: Callable[[], object] = lambda: None
) -> list[Converted | Failed]:
    """The outcomes of all tasks, in their order, converted on the cluster of a dask scheduler (`tcp://host:8786`).

    `entries` are the models' JSON files on this machine. `done` is called after each task. Raises BundlerError if the
    cluster cannot convert.
    """
    absolute = [replace(task, base=task.base.absolute()) for task in tasks]
    with _client(scheduler) as client:
        outcomes = _ask(client, absolute, scheduler, done)
    return [_here(outcome, entry.parent) for outcome, entry in zip(outcomes, entries)]


@contextmanager
def _client(scheduler: str) -> Iterator[Any]:
    """A connection to a cluster that knows bundler."""
    try:
        from distributed import Client
    except ImportError:
        raise BundlerError("dask is not installed", hint="pip install 'tfjs-bundler[dask]'") from None
    try:
        client = Client(scheduler, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BundlerError("no dask scheduler answers", where=scheduler, found=str(error)) from None
    with client:
        _check_versions(client, scheduler)
        yield client


def _check_versions(client: Any, scheduler: str) -> None:
    # A task that a worker cannot import would end the worker, and the next one after it.
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        raise BundlerError("the scheduler has no workers", where=scheduler) from None
    ask = (resolve_name, "bundler:__version__")
    found = client.run(*ask, on_error="return")
    try:
        found[scheduler] = client.run_on_scheduler(*ask)
    except ImportError as error:
        found[scheduler] = error
    faults = [
        Fault("has another version of bundler, or none", place, str(version), __version__, "install this one there")
        for place, version in found.items()
        if version != __version__
    ]
    if faults:
        raise BundlerError.of(faults)


def _ask(client: Any, tasks: Sequence[Task], scheduler: str, done: Callable[[], object]) -> list[Converted | Failed]:
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    try:
        # A task is not pure: its source may have changed since the cluster last saw it.
        futures = client.map(_there, tasks, pure=False)
        for _ in as_completed(futures, loop=client.loop):
            done()
        outcomes: list[Converted | Failed] = client.gather(futures)
    except KilledWorker:
        hint = "the workers' logs show why"
        raise BundlerError("one worker after another died over a model", where=scheduler, hint=hint) from None
    return outcomes


# On a worker -------------------------------------------------------------------------------------


def _there(task: Task) -> Converted | Failed:
    outcome = convert(task)
    if isinstance(outcome, Converted):
        return replace(outcome, digests=file_digests(outcome.folder, outcome.files))
    error = outcome.error
    error.faults = tuple(_from_afar(fault, error) for fault in error.faults)
    return outcome


def _from_afar(fault: Fault, error: BundlerError) -> Fault:
    """A fault with the name of this worker, and how workers find sources. The manifest is the same on every machine."""
    if isinstance(error, ManifestError):
        return fault
    share = "a worker needs the same folders, or sources that it can fetch" if isinstance(error, SourceError) else ""
    return replace(fault, hint=fault.hint or share).inside(f"worker {platform.node()}")


# Here --------------------------------------------------------------------------------------------


def _here(outcome: Converted | Failed, folder: Path) -> Converted | Failed:
    """The outcome, with references to the weights in the files of this machine."""
    if isinstance(outcome, Failed):
        return outcome
    there = outcome.folder

    @cache
    def moved(group: Group) -> Group:
        return Group(tuple(_moved(shard, there, folder) for shard in group.shards))

    def of_graph(graph: Graph) -> Graph:
        weights = {name: replace(weight, group=moved(weight.group)) for name, weight in graph.weights.items()}
        return replace(graph, weights=weights)

    return replace(outcome, model=outcome.model.with_graphs(of_graph), folder=folder)


def _moved(shard: Shard, there: Path, here: Path) -> Shard:
    return replace(shard, path=here / shard.path.relative_to(there)) if isinstance(shard, File) else shard
