"""What a bundle says of itself: `assets.extra/bundle.json`.

The folder `assets.extra` is the SavedModel format's own place for files that are not the graph's. By this file
bundler knows its own outputs again, and knows whether they are up to date: from what they were made, told by
sha256, and by which version. It holds nothing that differs from machine to machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bundler import __version__, artifact, sources
from bundler.errors import BundlerError
from bundler.manifest import Manifest, ModelSpec
from bundler.publish import RECORD
from bundler.report import Report

__all__ = ["fresh", "write"]


def write(folder: Path, manifest: Manifest, report: Report, files: Mapping[str, Mapping[str, str]]) -> None:
    """Write the record of a bundle into its folder, last of all.

    `files` are the sha256 of each model's files, by the model's name and the file's.
    """
    outputs = sorted(path for path in folder.rglob("*") if path.is_file())
    document = {
        "bundler": __version__,
        "manifest": manifest.digest,
        "files": files,
        "output": {path.relative_to(folder).as_posix(): path.stat().st_size for path in outputs},
        "report": json.loads(report.to_json()),
    }
    path = folder / RECORD
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")


def fresh(folder: Path, manifest: Manifest, jobs: int = 1) -> Report | None:
    """The report of a bundle that building again would give again, byte for byte; else None.

    Files are told by their sha256, not by their times. Of the output itself, presence and size are looked at.
    """
    document = _read(folder / RECORD)
    if (document.get("bundler"), document.get("manifest")) != (__version__, manifest.digest):
        return None
    if not all(_size(folder / name) == size for name, size in document["output"].items()):
        return None
    try:
        files = dict(pair for model in manifest.models for pair in _files(model, manifest.folder, document["files"]))
        with ThreadPoolExecutor(jobs) as pool:
            if list(pool.map(artifact.sha256, files)) != list(files.values()):
                return None
    except (BundlerError, OSError):
        return None  # the build will say what is wrong
    size = sum(document["output"].values()) + (folder / RECORD).stat().st_size
    return Report.parse(document["report"], output=folder, bytes=size, up_to_date=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _files(model: ModelSpec, base: Path, files: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[Path, str]]:
    """The model's files where its source has them now, each with the sha256 that it had.

    OSError where the source leads to another entry file.
    """
    entry = artifact.entry(sources.find(model.source, base))
    if entry.name != next(iter(files[model.name])):
        raise FileNotFoundError(entry)
    for name, digest in files[model.name].items():
        yield entry.parent / name, digest
