"""The files of models, and whether they are those in a lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from bundler import sources
from bundler.convert.every import raise_all, tasks_of
from bundler.convert.one import Failed, Task, check_digest, entry_of, failed
from bundler.disk.cache import Cache, Damaged, default_folder
from bundler.disk.reach import Reach
from bundler.errors import LockError, within
from bundler.lockfile import File, Files, file_faults
from bundler.manifest import Manifest
from bundler.progress import SILENT, Progress
from bundler.threads import Crew

__all__ = ["files_of_all", "refuse_unlocked"]


def files_of_all(manifest: Manifest, jobs: int, reach: Reach, progress: Progress = SILENT) -> dict[str, Files]:
    """The size and sha256 of every model's files, by the model's name. Raises one error for all models.

    Raises Damaged if the cache is.
    """
    with Crew(jobs) as crew:
        found = list(crew.map(partial(_files, progress=progress), tasks_of(manifest, reach)))
    raise_all([each for each in found if isinstance(each, Failed)], manifest)
    return {spec.name: each for spec, each in zip(manifest.models, found) if not isinstance(each, Failed)}


def _files(task: Task, progress: Progress) -> Files | Failed:
    try:
        with within(f"model {task.spec.name!r}"):
            opened = sources.open_found(task.spec.source, entry_of(task, progress))
            found = _at(opened.folder, opened.files)
            check_digest(task, opened)
            return found
    except Damaged:
        raise
    except Exception as error:
        return failed(error, task)


def refuse_unlocked(entry: Path, locked: Files) -> None:
    """Raise LockError if the files of a model are not those in a lock, Damaged if the cache is damaged."""
    names = dict.fromkeys([entry.name, *locked])  # the entry file names all others
    faults = list(file_faults(_at(entry.parent, [name for name in names if entry.with_name(name).is_file()]), locked))
    if faults:
        raise LockError.of([*faults[:-1], replace(faults[-1], hint="`bundler lock` accepts what has changed")])


def _at(folder: Path, names: Sequence[str]) -> Files:
    found = {name: File.at(folder / name) for name in names}
    Cache(default_folder()).check(folder, {name: file.sha256 for name, file in found.items()})
    return found
