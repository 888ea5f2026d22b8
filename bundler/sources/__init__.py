"""Where models come from: a source, as a manifest spells it, becomes an `Artifact`.

    models/posenet                      a folder with a model.json
    models/posenet.json                 a JSON file of any name
    models.zip#posenet/model.json       a .zip, .tar.gz or .tgz, and a path inside
    npm:@scope/name@1.2.3/models/a.json a file of an npm package, by the user's own npm
    https://host/posenet/model.json     a model on the web, or an archive

What is not simply there is fetched once and kept (see `cache`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from bundler import artifact
from bundler.artifact import Artifact
from bundler.errors import SourceError, closest, within
from bundler.progress import SILENT, Progress
from bundler.sources.cache import Cache, default_folder

__all__ = ["fetch", "find"]

_Finder: TypeAlias = Callable[[str, Path, Cache, Progress], Path]

_FINDERS = {
    "npm:": "bundler.sources.npm",
    "https://": "bundler.sources.web",
    "http://": "bundler.sources.web",
    "": "bundler.sources.disk",
}
"""The module whose `find` takes the sources that begin so; loaded only where a manifest has one."""


def fetch(source: str, base: Path, *, progress: Progress = SILENT, cache: Path | None = None) -> Artifact:
    """The files of a model, fetched where they are not at hand, and its JSON read.

    Paths are relative to `base`, the manifest's folder. `cache` is the folder for what is fetched;
    by default `BUNDLER_CACHE`, or the platform's place for it. Raises SourceError where there is no
    such model, it cannot be reached, or what came is not safe to unpack or open.
    """
    kept = cache or default_folder()
    path = find(source, base, progress=progress, cache=kept)
    # A file of the user's own is told by its path; what lies in the cache, by where it came from.
    with within(source) if path.is_relative_to(kept) else nullcontext():
        return artifact.open(path)


def find(source: str, base: Path, *, progress: Progress = SILENT, cache: Path | None = None) -> Path:
    """The model's folder or JSON file, fetched where it is not at hand, but not yet read."""
    prefix = next(prefix for prefix in _FINDERS if source.startswith(prefix))
    if not prefix:
        _refuse_unknown_scheme(source)
    find_it: _Finder = import_module(_FINDERS[prefix]).find
    return find_it(source, base, Cache(cache or default_folder()), progress)


def _refuse_unknown_scheme(source: str) -> None:
    # Two characters and more: a single letter is a drive of Windows.
    scheme = re.match("[A-Za-z][A-Za-z0-9+.-]+:", source)
    if scheme:
        raise SourceError(
            "no source is spelled so",
            where=source,
            found=scheme[0],
            expected=f"a path, {', '.join(filter(None, _FINDERS))}",
            hint=closest(scheme[0], filter(None, _FINDERS)),
        )
