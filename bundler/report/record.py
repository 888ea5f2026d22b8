"""The record of a bundle: `assets.extra/bundle.json`.

The SavedModel format reserves the folder `assets.extra` for files that do not belong to the graph. By this file bundler
recognises its outputs and decides whether they are up to date. It holds only what is the same on every machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from bundler import __version__, sources
from bundler.artifacts import artifact
from bundler.disk import outputs
from bundler.disk.digest import sha256
from bundler.disk.publish import RECORD
from bundler.disk.reach import USUAL, Reach
from bundler.errors import BundlerError
from bundler.manifest import Manifest
from bundler.report import Report
from bundler.threads import Crew

__all__ = ["Recorded", "files_of", "recorded", "up_to_date", "write"]

_LARGEST = 1 << 28
"""Bytes of a record. Bundler writes no larger one."""


class _Record(BaseModel):
    """The document. `files` has the sha256 of each model's files, by the model's name and the file's."""

    model_config = ConfigDict(strict=True, extra="forbid", defer_build=True)  # a new build reads none

    bundler: str
    manifest: str
    files: dict[str, dict[str, str]]
    report: Report


class Recorded(NamedTuple):
    """What the record of a bundle says: the digest of its manifest, and the report of its build."""

    manifest: str
    report: Report


def recorded(folder: Path) -> Recorded | None:
    """What a bundle's record says; None if there is none, or bundler did not write it."""
    try:
        record = _read(folder / RECORD)
    except (OSError, ValidationError):
        return None
    return Recorded(record.manifest, record.report)


def write(folder: Path, manifest: Manifest, report: Report, files: Mapping[str, Mapping[str, str]]) -> None:
    """Write the record of a bundle into its folder, after all other files.

    `files` has the sha256 of each model's files, by the model's name and the file's.
    """
    document = {
        "bundler": __version__,
        "manifest": manifest.digest,
        "files": files,
        "report": json.loads(report.to_json()),
    }
    path = folder / RECORD
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")


def up_to_date(
    folder: Path, manifest: Manifest, *, checked: bool, jobs: int = 1, reach: Reach = USUAL
) -> Report | None:
    """The report of a bundle that a new build would write again, byte for byte; else None.

    Sources are compared by their contents, files of the output by what the cache remembers of them
    (`disk.outputs`). With `checked`, a bundle that TensorFlow did not load is not up to date.
    """
    state = outputs.recall(folder)
    if state is None or (checked and not state.checked) or not state.holds_of(folder):
        return None
    try:
        record = _read(folder / RECORD)
        if (record.bundler, record.manifest) != (__version__, manifest.digest):
            return None
        if not _has_sources(manifest, record, jobs, reach):
            return None
    except (BundlerError, OSError, ValidationError, KeyError):
        return None  # a new build reports what is wrong
    report: Report = record.report
    return Report(folder, report.name, report.signatures, report.models, bytes=state.bytes, up_to_date=True)


def files_of(folder: Path) -> Mapping[str, Mapping[str, str]]:
    """The sha256 of each model's files, by the model's name and the file's, of a bundle that was just built."""
    files: dict[str, dict[str, str]] = _read(folder / RECORD).files
    return files


def _read(path: Path) -> _Record:
    """The record in a file. Raises OSError if there is none, ValidationError if bundler did not write it."""
    if not path.is_file() or path.stat().st_size > _LARGEST:
        raise FileNotFoundError(path)
    return _Record.model_validate_json(path.read_bytes())


def _has_sources(manifest: Manifest, record: _Record, jobs: int, reach: Reach) -> bool:
    """Whether the models' files are those that the bundle was made from."""
    entries = [artifact.entry(sources.find(model.source, manifest.folder, reach=reach)) for model in manifest.models]
    files = {
        path: digest
        for model, entry in zip(manifest.models, entries)
        for path, digest in _files(entry, record.files[model.name])
    }
    if not all(path.is_file() for path in files):
        return False
    with Crew(jobs) as crew:
        return list(crew.map(sha256, files)) == list(files.values())


def _files(entry: Path, files: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """The model's files as its source has them now, each with the sha256 that it had.

    OSError if the source leads to another entry file.
    """
    if entry.name != next(iter(files), None):
        raise FileNotFoundError(entry)
    for name, digest in files.items():
        yield entry.parent / name, digest
