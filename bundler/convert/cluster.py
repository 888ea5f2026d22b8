"""Conversions on other machines: a dask cluster, by joblib's own backend for it.

A worker gets a task and gives back structure: weights stay in its files. It finds the source by itself, in a shared
folder under the same path, or on the web by way of its own cache. Whoever writes the bundle has found the same source:
the references to weights are turned to the files there, and come with the sha256 of what the worker read.

A worker that dies costs time only: the scheduler gives its tasks to another.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
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
"""Seconds in which a scheduler answers, and has a worker."""


def each(tasks: Sequence[Task], entries: Sequence[Path], scheduler: str) -> list[Converted | Failed]:
    """Convert every task on the cluster of a dask scheduler (`tcp://host:8786`), and give the outcomes in their order.

    `entries` are the models' JSON files here. Raises BundlerError where the cluster cannot do it.
    """
    absolute = [replace(task, base=task.base.absolute()) for task in tasks]
    with _client(scheduler) as client:
        outcomes = _ask(client, absolute, scheduler)
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
    # A worker that cannot import what it is asked to do ends, and the next one is asked.
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        raise BundlerError("the scheduler has no workers", where=scheduler) from None
    version = (resolve_name, "bundler:__version__")
    found = client.run(*version, on_error="return")
    try:
        found[scheduler] = client.run_on_scheduler(*version)
    except ImportError as error:
        found[scheduler] = error
    faults = [
        Fault("has another version of bundler, or none", place, str(told), __version__, "install this one there")
        for place, told in found.items()
        if told != __version__
    ]
    if faults:
        raise BundlerError.of(faults)


def _ask(client: Any, tasks: Sequence[Task], scheduler: str) -> list[Converted | Failed]:
    from distributed.scheduler import KilledWorker
    from joblib import Parallel, delayed, parallel_config

    try:
        with parallel_config(backend=_backend(client), n_jobs=-1):
            outcomes: list[Converted | Failed] = Parallel(batch_size=1, pre_dispatch="all")(
                delayed(_there)(task) for task in tasks
            )
    except KilledWorker:
        raise BundlerError(
            "one worker after another died over a model", where=scheduler, hint="the workers' logs tell of what"
        ) from None
    return outcomes


def _backend(client: Any) -> Any:
    """Joblib's backend, but a task that dask gives up is an error: joblib's own waits for it for ever (1.6)."""
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):  # type: ignore[misc]
        def effective_n_jobs(self, n_jobs: int) -> int:
            found: int = super().effective_n_jobs(n_jobs)
            return max(2, found)  # with one, joblib would do all the work here

        def submit(self, batch: Any, callback: Callable[[object], None]) -> Any:
            def tell(future: Future[object]) -> None:
                if future.exception() is not None:
                    callback(future.exception())

            submitted = super().submit(batch, callback)
            submitted.add_done_callback(tell)
            return submitted

        def retrieve_result_callback(self, answer: object) -> object:
            if isinstance(answer, BaseException):
                raise answer
            return super().retrieve_result_callback(answer)

    return Backend(client=client)


# On a worker -------------------------------------------------------------------------------------


def _there(task: Task) -> Converted | Failed:
    outcome = convert(task)
    if isinstance(outcome, Converted):
        return replace(outcome, digests=file_digests(outcome.folder, outcome.files))
    faults = [_from_afar(fault, outcome.error) for fault in outcome.error.faults]
    return Failed(type(outcome.error).of(faults))


def _from_afar(fault: Fault, error: BundlerError) -> Fault:
    """A fault on a worker, which is named. What is wrong in the manifest itself is wrong on every machine."""
    if isinstance(error, ManifestError):
        return fault
    share = "a worker needs the same folders, or sources that it can fetch" if isinstance(error, SourceError) else ""
    return replace(fault, hint=fault.hint or share).inside(f"worker {platform.node()}")


# Here --------------------------------------------------------------------------------------------


def _here(outcome: Converted | Failed, folder: Path) -> Converted | Failed:
    """The outcome, with its weights in the files here."""
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
