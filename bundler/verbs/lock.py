"""`lock`: the settings and files that a bundle is made from are written beside its manifest, or compared with that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bundler import __version__, lockfile, sources
from bundler.convert.locked import files_of_all
from bundler.disk.cache import Cache, default_folder
from bundler.disk.publish import publishing_file
from bundler.disk.reach import Reach
from bundler.errors import LockError
from bundler.lockfile import Fetched, Files, Lock
from bundler.manifest import Manifest
from bundler.progress import SILENT, Progress
from bundler.verbs.given import AnyManifest, manifest_of, refuse_stale

__all__ = ["Locked", "lock"]


@dataclass(frozen=True)
class Locked:
    """The lock of a manifest, and the path of its file. `up_to_date`: the file was there already, with these bytes."""

    path: Path
    lock: Lock
    up_to_date: bool

    def to_json(self) -> str:
        """One JSON document: the path, and what the file holds."""
        held = self.lock.model_dump(mode="json")
        return json.dumps({"path": self.path.as_posix(), "up_to_date": self.up_to_date, **held}, indent=2)


@sources.fetching_damaged_again
def lock(
    manifest: AnyManifest,
    *,
    check: bool = False,
    force: bool = False,
    jobs: int = 1,
    offline: bool = False,
    refresh: bool = False,
    progress: Progress = SILENT,
) -> Locked:
    """Write the lock of a manifest, `pets.lock` beside `pets.toml`: whole or not at all.

    The lock has the settings of the manifest that change the bundle's bytes, the size and sha256 of each model's files,
    and what was fetched for them. It has no folder to write and no version: one lock serves many releases.

    Args:
        manifest: The path of a manifest, or a `Manifest`.
        check: Write nothing: raise LockError, with all differences, if the lock is not what it would be now.
        force: Replace a file of that name that bundler did not write.
        jobs: Sources to read at a time.
        offline: Fetch nothing: take sources from the cache.
        refresh: Ask for each source again, also if the cache has it.
        progress: Receives the steps and notes of the run.

    Raises:
        BundlerError: With all faults in `.faults`.
    """
    read = manifest_of(manifest)
    path = lockfile.path_of(read.path)
    if check:
        return _checked(read, path, _now(read, jobs, Reach(offline, refresh), progress))
    if not (force or lockfile.is_ours(path)):
        raise LockError(
            "the file exists, and bundler did not write it", where=str(path), hint="replace it with --force"
        )
    made = _now(read, jobs, Reach(offline, refresh), progress)
    content = lockfile.spelled(made)
    same = path.is_file() and path.read_bytes() == content
    if not same:
        with publishing_file(path, inputs=[read.path]) as file:
            file.write_bytes(content)
    return Locked(path, made, same)


def _checked(manifest: Manifest, path: Path, now: Lock) -> Locked:
    locked = lockfile.required(path, manifest.path)
    refuse_stale(lockfile.differences(now, locked, manifest, path), manifest)
    return Locked(path, locked, up_to_date=True)


def _now(manifest: Manifest, jobs: int, reach: Reach, progress: Progress) -> Lock:
    """The lock of what there is now. Raises one error for the sources of all models."""
    files = files_of_all(manifest, jobs, reach, progress)
    keys = dict.fromkeys(filter(None, (sources.key(spec.source) for spec in manifest.models)))
    fetched = {key: found for key in sorted(keys) if (found := _fetched(key))}
    return _lock(manifest, files, fetched)


def _lock(manifest: Manifest, files: Mapping[str, Files], fetched: Mapping[str, Fetched]) -> Lock:
    settings = {"digest": manifest.digest, **manifest.settings}
    return Lock.model_validate({"bundler": __version__, "manifest": settings, "files": files, "fetched": fetched})


def _fetched(key: str) -> Fetched | None:
    kept = Cache(default_folder()).kept(key)
    return None if kept is None else Fetched(object=kept.folder.name, integrity=kept.facts.get("integrity", ""))
