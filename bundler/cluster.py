"""Conversions on other machines: a dask cluster, by joblib's own backend for it.

A worker gets a task and gives back structure: weights stay in its files. It finds the source itself, under the same path
or from the web by way of its own cache. Whoever writes the bundle has found the same source; the references to weights
are turned to that, and what the worker read comes with its sha256, to be compared.

A worker that dies costs time: the scheduler gives its tasks to another.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NamedTuple

from bundler import __version__, artifact
from bundler.convert import Converted, Failed, Task, convert
from bundler.errors import BundlerError, Fault, SourceError
from bundler.model import Graph
from bundler.weight import File, Group

__all__ = ["each"]

_PATIENCE = 30
"""Seconds in which a scheduler answers, and has a worker."""


class _Told(NamedTuple):
    """What a worker gives back: its version of bundler, the outcome, and the sha256 of the files behind it."""

    version: str
    outcome: Converted | Failed
    digests: Mapping[str, str]


def each(tasks: Sequence[Task], entries: Sequence[Path], scheduler: str) -> list[Converted | Failed]:
    """Convert every task on the cluster of a dask scheduler (`tcp://host:8786`), and give the outcomes in their order.

    `entries` are the models' JSON files here. Raises BundlerError where the cluster cannot do it.
    """
    absolute = [replace(task, base=task.base.absolute()) for task in tasks]
    with _client(scheduler) as client:
        told = _ask(client, absolute, scheduler)
    return [_here(one, entry.parent) for one, entry in zip(told, entries)]


@contextmanager
def _client(scheduler: str) -> Iterator[Any]:
    """A connection to a cluster that can do it."""
    try:
        from distributed import Client
    except ImportError:
        raise BundlerError("dask is not installed", hint="pip install 'tfjs-bundler[dask]'") from None
    try:
        client = Client(scheduler, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BundlerError("no dask scheduler answers", where=scheduler, found=str(error)) from None
    with client:
        _check(client, scheduler)
        yield client


def _check(client: Any, scheduler: str) -> None:
    """See that all have this version of bundler: a task would be the end of a worker that has none."""
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
        Fault("is without this version of bundler", place, str(told), __version__, "install it there")
        for place, told in found.items()
        if told != __version__
    ]
    if faults:
        raise BundlerError.of(faults)


def _ask(client: Any, tasks: Sequence[Task], scheduler: str) -> list[_Told]:
    from distributed.scheduler import KilledWorker
    from joblib import Parallel, delayed, parallel_config

    try:
        with parallel_config(backend=_backend(client), n_jobs=-1):
            told: list[_Told] = Parallel(batch_size=1, pre_dispatch="all")(map(delayed(_there), tasks))
    except KilledWorker as error:
        raise BundlerError("workers die over a model", where=scheduler, found=str(error)) from None
    return told


def _backend(client: Any) -> Any:
    """Joblib's backend, which waits for ever where a task ends without an answer (1.6): this one raises the reason."""
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):  # type: ignore[misc]
        def submit(self, task: Any, callback: Callable[[object], None]) -> Any:
            def lost(future: Future[object]) -> None:
                if future.exception():
                    callback(future.exception())

            future = super().submit(task, callback)
            future.add_done_callback(lost)
            return future

        def retrieve_result_callback(self, answer: object) -> object:
            if isinstance(answer, BaseException):
                raise answer
            return super().retrieve_result_callback(answer)

    return Backend(client=client, wait_for_workers_timeout=_PATIENCE)


# On a worker -------------------------------------------------------------------------------------


def _there(task: Task) -> _Told:
    outcome = convert(task)
    if isinstance(outcome, Failed):
        faults = (_as_of(fault, outcome.error) for fault in outcome.error.faults)
        return _Told(__version__, Failed(type(outcome.error).of(faults)), {})
    return _Told(__version__, outcome, artifact.digests(outcome.folder, outcome.files))


def _as_of(fault: Fault, error: BundlerError) -> Fault:
    """A fault as those see it who are elsewhere, and have found the source there."""
    sharing = "a worker needs the same folders, or sources that it can fetch" if isinstance(error, SourceError) else ""
    return replace(fault, hint=fault.hint or sharing).inside(f"worker {platform.node()}")


# Here --------------------------------------------------------------------------------------------


def _here(told: _Told, folder: Path) -> Converted | Failed:
    """The outcome, with its weights in the files here."""
    if told.version != __version__:
        raise BundlerError("a worker has another version of bundler", found=told.version, expected=__version__)
    if isinstance(told.outcome, Failed):
        return told.outcome
    there = told.outcome.folder

    @cache
    def moved(group: Group) -> Group:
        shards = (_moved(shard, there, folder) if isinstance(shard, File) else shard for shard in group.shards)
        return Group(tuple(shards))

    def of_graph(graph: Graph) -> Graph:
        weights = {name: replace(weight, group=moved(weight.group)) for name, weight in graph.weights.items()}
        return replace(graph, weights=weights)

    model = told.outcome.model.with_graphs(of_graph)
    return replace(told.outcome, model=model, folder=folder, digests=told.digests)


def _moved(shard: File, there: Path, here: Path) -> File:
    return replace(shard, path=here / shard.path.relative_to(there))
