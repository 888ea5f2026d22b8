"""Conversions on other machines: a dask cluster, by joblib's own backend for it.

A worker gets a task and gives back structure: weights stay in its files. It finds the source itself, under the same path
or from the web by way of its own cache. Whoever writes the bundle has found the same source; the references to weights
are turned to that, and what the worker read comes with its sha256, to be compared.

A worker that dies costs time: the scheduler gives its tasks to another.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
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
    try:
        from distributed import Client
    except ImportError:
        raise BundlerError("dask is not installed", hint="pip install 'tfjs-bundler[dask]'") from None
    try:
        client = Client(scheduler, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BundlerError("no dask scheduler answers", where=scheduler, found=str(error)) from None
    with client:
        yield client


def _ask(client: Any, tasks: Sequence[Task], scheduler: str) -> list[_Told]:
    from distributed.scheduler import KilledWorker
    from joblib import Parallel, delayed, parallel_config

    try:
        with parallel_config(backend="dask", client=client, wait_for_workers_timeout=_PATIENCE):
            told: list[_Told] = Parallel(n_jobs=-1, batch_size=1, pre_dispatch="all")(map(delayed(_there), tasks))
    except TimeoutError:
        raise BundlerError("the scheduler has no workers", where=scheduler) from None
    except ModuleNotFoundError as error:
        raise BundlerError(
            "a worker cannot run bundler", where=scheduler, found=str(error), hint="install bundler on every worker"
        ) from None
    except KilledWorker as error:
        raise BundlerError("a model kills the workers that convert it", where=scheduler, found=str(error)) from None
    return told


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
