"""Where models come from: a source, as a manifest spells it, becomes an `Artifact`.

    models/posenet                      a folder with a model.json
    models/posenet.json                 a JSON file of any name
    models.zip#posenet/model.json       a .zip, .tar.gz or .tgz, and a path inside
    npm:@scope/name@1.2.3/models/a.json a file of an npm package, by the user's own npm
    https://host/posenet/model.json     a model on the web, or an archive

Packages, archives and models on the web are fetched or unpacked once, and kept (see `disk.cache`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import wraps
from importlib import import_module
from pathlib import Path, PurePath
from types import ModuleType
from typing import TYPE_CHECKING, ParamSpec, TypeAlias, TypeVar, cast

from bundler.artifacts import artifact
from bundler.artifacts.artifact import Artifact
from bundler.disk.cache import Cache, Damaged, default_folder
from bundler.disk.locks import in_use
from bundler.disk.reach import USUAL, Reach
from bundler.errors import SourceError, closest, within
from bundler.progress import SILENT, Progress

if TYPE_CHECKING:
    from bundler.sources.listing import Tree

__all__ = ["UNPACKED", "at_hand", "fetch", "fetching_damaged_again", "find", "key", "listed", "moved", "open_found"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
_Finder: TypeAlias = Callable[[str, Path, Cache, Progress], Path]
_Lister: TypeAlias = "Callable[[str, Path, Cache, Progress], Tree | None]"

UNPACKED = "archive:"
"""How keys of the cache begin that stand for an archive of the user."""
_FINDERS = {
    "npm:": "bundler.sources.npm",
    "https://": "bundler.sources.web",
    "http://": "bundler.sources.web",
    "": "bundler.sources.disk",
}
"""By the beginning of a source, the module whose `find` and `tree` take it. It is loaded if it is needed."""
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]+:")
"""Two characters and more: a single letter may be a drive, in a manifest from Windows."""


def fetch(
    source: str, base: Path, *, progress: Progress = SILENT, cache: Path | None = None, reach: Reach = USUAL
) -> Artifact:
    """The files of a model, fetched if need be, and its JSON.

    Paths are relative to `base`, the manifest's folder. `cache` is the folder for fetched files, by default
    `BUNDLER_CACHE` or the platform's folder for caches; `reach` limits what is fetched. Raises SourceError if there is
    no such model, it cannot be fetched, or its files are not safe to unpack or open.
    """
    return open_found(source, find(source, base, progress=progress, cache=cache, reach=reach), cache=cache)


def open_found(source: str, path: Path, *, cache: Path | None = None) -> Artifact:
    """The files of a model whose folder or JSON file `find` returned. Raises SourceError as `fetch` does."""
    # Errors name a user's own file by its path, and a file in the cache by its source.
    with within(source) if path.is_relative_to(cache or default_folder()) else nullcontext():
        return artifact.open(path)


def find(
    source: str,
    base: Path,
    *,
    progress: Progress = SILENT,
    cache: Path | None = None,
    reach: Reach = USUAL,
) -> Path:
    """The path of the model's folder or JSON file, fetched if need be, as far as `reach` allows.

    Raises SourceError if there is none.
    """
    find_it: _Finder = _module(source).find
    return find_it(source, base, Cache(cache or default_folder(), progress, reach), progress)


def key(source: str) -> str | None:
    """The key under which the cache keeps what a source is fetched as; None for the user's own files."""
    if not _prefix(source):
        return None
    found: str = _module(source).key(source)
    return found


def listed(
    source: str, base: Path, *, progress: Progress = SILENT, cache: Path | None = None, reach: Reach = USUAL
) -> list[str]:
    """The sources of all models that a source holds: a folder, an archive and a package may hold several.

    A package needs no version here: npm gives the newest. A file is one model, whether or not it is there. `reach`
    limits what is fetched. Raises SourceError if there is no model, or there are too many.
    """
    tree_of: _Lister = _module(source).tree
    tree = tree_of(source, base, Cache(cache or default_folder(), progress, reach), progress)
    if tree is None:
        return [source]
    from bundler.sources import listing

    with within(source):
        return [tree.source(path) for path in listing.models(tree)]


def moved(source: str, base: Path, folder: Path) -> str:
    """The source, whose path starts in `base`, as a manifest in `folder` spells it. Only paths change."""
    kept = at_hand(source, base)
    if kept is None or (not os.path.lexists(kept) and _SCHEME.match(source)):
        return source
    inside = "" if os.path.lexists(kept) and kept == base / os.path.expanduser(source) else source.partition("#")[2]
    path = _relative(kept, folder)
    # A path with a colon would read as `npm:…`, one with a tilde as that of the user's home.
    plain = f"./{path}" if ":" in path or path.startswith("~") else path
    return f"{plain}#{inside}" if inside else plain


def _relative(path: Path, folder: Path) -> str:
    """A path as it is seen from a folder, with forward slashes."""
    whole, start = os.path.abspath(path), os.path.abspath(folder)
    if os.path.commonpath([whole, start]) != start:
        # A `..` leads from where a link points to.
        outer, name = os.path.split(whole)
        whole, start = os.path.join(os.path.realpath(outer), name), os.path.realpath(start)
    return PurePath(os.path.relpath(whole, start)).as_posix()


def _module(source: str) -> ModuleType:
    """The module that finds a source. SourceError if its scheme is unknown."""
    prefix = _prefix(source)
    if not prefix:
        _refuse_unknown_scheme(source)
    return import_module(_FINDERS[prefix])


def _prefix(source: str) -> str:
    return next(prefix for prefix in _FINDERS if source.startswith(prefix))


def at_hand(source: str, base: Path) -> Path | None:
    """The user's own file or folder that holds a source; None for a source that is fetched."""
    if _prefix(source):
        return None
    whole = base / os.path.expanduser(source)
    return whole if os.path.lexists(whole) else base / os.path.expanduser(source.partition("#")[0])


def fetching_damaged_again(verb: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """A decorator that runs the verb again if files of the cache are damaged. They are fetched or unpacked again then.

    With the keyword argument `offline`, Damaged is raised for those that were fetched. Until the verb ends,
    `bundler cache clean` removes nothing. Notes go to the keyword argument `progress` of the call, if it has one.
    Raises Damaged if files are damaged twice.
    """

    @wraps(verb)
    def run(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        progress, dropped = cast(Progress, kwargs.get("progress", SILENT)), set[Path]()
        with _keeping_cache():
            while True:
                with _dropping_damaged(progress, dropped, offline=bool(kwargs.get("offline"))):
                    return verb(*args, **kwargs)

    return run


@contextmanager
def _keeping_cache() -> Iterator[None]:
    folder = default_folder()
    with suppress(OSError):  # a cache that cannot be written is an error if something is to be fetched
        folder.mkdir(parents=True, exist_ok=True)
    with in_use(folder):
        yield


@contextmanager
def _dropping_damaged(progress: Progress, dropped: set[Path], *, offline: bool) -> Iterator[None]:
    try:
        yield
    except Damaged as damage:
        cache = Cache(default_folder(), progress)
        if offline and not cache.key_of(damage.object_folder).startswith(UNPACKED):
            hint = "a run without --offline fetches them again"
            damage.faults = tuple(replace(fault, hint=hint) for fault in damage.faults)
            raise
        if damage.object_folder in dropped:
            raise
        dropped.add(damage.object_folder)
        cache.drop(damage.object_folder)


def _refuse_unknown_scheme(source: str) -> None:
    scheme = _SCHEME.match(source)
    if scheme:
        raise SourceError(
            "this kind of source is unknown",
            where=source,
            found=scheme[0],
            expected=f"a path, {', '.join(filter(None, _FINDERS))}",
            hint=closest(scheme[0], filter(None, _FINDERS)),
        )
