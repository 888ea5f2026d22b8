"""Models on the web: a model.json with the shards beside it, or an archive."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit

from bundler.artifacts import artifact, document, foreign
from bundler.artifacts.artifact import Artifact
from bundler.artifacts.early import MANIFEST
from bundler.disk import files
from bundler.disk.cache import Cache, Facts, Kept
from bundler.disk.digest import integrity
from bundler.errors import SourceError, within
from bundler.progress import Progress
from bundler.sources import archive, limits
from bundler.sources.listing import Tree
from bundler.sources.web.downloads import Downloads, Unchanged, refuse_insecure
from bundler.sources.web.expected import weight_bytes

__all__ = ["find", "key", "tree"]

_SLACK = 1 << 16
"""Bytes that gzip may add to a group of weights, besides a hundredth; each shard may add as many."""
_ADDRESS = 300
"""Characters of an address that an error shows."""


def find(source: str, base: Path, cache: Cache, progress: Progress) -> Path:
    """The model at `https://…/model.json`, or `https://…/archive.zip#path/inside`.

    The files of an address are kept. A run that refreshes asks the server which of them have changed.
    """
    with within(_shown(source)):
        url, inside, name = _parse(source)
        refuse_insecure(url)
        if archive.is_archive(name):
            return archive.locate(cache.fetched(url, partial(_fetch_archive, url, progress)), inside)
        if not name.lower().endswith((".json", ".pb")):
            raise _no_model(url, name)
        return cache.fetched(url, partial(_fetch_model, url, name, progress)) / name


def key(source: str) -> str:
    """The key under which the cache keeps the files of a source: its address."""
    return _parse(source)[0]


def tree(source: str, base: Path, cache: Cache, progress: Progress) -> Tree | None:
    """The archive at an address; None for any other, which is one model."""
    with within(_shown(source)):
        url, inside, name = _parse(source)
        refuse_insecure(url)
        if not archive.is_archive(name):
            return None
        return Tree(cache.fetched(url, partial(_fetch_archive, url, progress)), inside, f"{url}#")


def _fetch_archive(url: str, progress: Progress, folder: Path, earlier: Kept | None) -> Facts:
    path = folder.with_name("archive")
    downloads = Downloads(progress, folder, earlier)
    try:
        downloads.fetch(url, path, limits.MAX_BYTES)
    except Unchanged as same:  # the archive itself is not kept
        shutil.copytree(same.kept.folder, folder, dirs_exist_ok=True)
        return same.kept.facts
    archive.unpack(path, folder)
    return {**downloads.validators, "integrity": integrity(path)}


def _fetch_model(url: str, name: str, progress: Progress, folder: Path, earlier: Kept | None) -> Facts:
    downloads = Downloads(progress, folder, earlier)
    entry = folder / name
    downloads.get(url, entry, document.MAX_BYTES)
    if entry.suffix.lower() == ".pb":
        downloads.get(_beside(url, MANIFEST), entry.with_name(MANIFEST), document.MAX_BYTES)
    with _naming_files(folder):
        model = artifact.read_entry(entry)
    _fetch_shards(url, model, downloads)
    return downloads.validators


def _fetch_shards(url: str, model: Artifact, downloads: Downloads) -> None:
    names = set(model.shards)
    if len(names) > limits.MAX_SHARDS:
        raise SourceError("has too many shards", found=f"{len(names):,}", expected=f"at most {limits.MAX_SHARDS:,}")
    left = limits.MAX_BYTES
    for shards, weights in zip(model.groups, model.document.get("weightsManifest") or ()):
        most = _most(weights, len(shards), left)
        for name in dict.fromkeys(shards):
            if name in names:
                names.remove(name)
                size = downloads.get(_beside(url, name), _room(model.folder, name), most)
                left, most = left - size, most - size


@contextmanager
def _naming_files(folder: Path) -> Iterator[None]:
    """In faults, drop the folder of files: it is temporary."""
    try:
        yield
    except SourceError as error:
        inside = f"{folder}{os.sep}"
        error.faults = tuple(replace(fault, where=fault.where.removeprefix(inside)) for fault in error.faults)
        raise


def _no_model(url: str, name: str) -> SourceError:
    kind = foreign.of_address(url, name)
    if kind is not None:
        return SourceError(kind.what, hint=kind.hint)
    return SourceError("is no model", found=repr(name), expected="an address that ends in .json, .pb, .zip or .tgz")


def _most(weights: Mapping[str, Any], shards: int, left: int) -> int:
    """The bytes that the shards of a group of weights may have together, gzip'ed or not."""
    needed = weight_bytes(weights)
    return left if needed is None else min(left, needed + needed // 100 + _SLACK * (1 + shards))


def _room(folder: Path, name: str) -> Path:
    """The path of a shard; its folder exists then."""
    path = folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SourceError(f"the shard {files.spelled(name)} cannot be written", found=files.reason(error)) from error
    return path


def _beside(url: str, name: str) -> str:
    """The address of a shard, as browsers resolve it; the query of the model's address is dropped."""
    folder = urljoin(url, ".")
    return folder + quote(os.fsencode(name), safe="/%?&=+,;:@!$'()*~")


def _parse(source: str) -> tuple[str, str, str]:
    """The address of a file, the path inside that file if it is an archive, and the file's name."""
    try:
        source.encode()
        url, inside = urldefrag(source)
        parts = urlsplit(url)
        name = unquote(PurePosixPath(parts.path).name)
        _ = parts.port
    except ValueError:  # its message may have a part of a password
        raise SourceError("is no address") from None
    if not parts.hostname:
        raise SourceError("is no address", found="no host")
    if not files.is_safe(name) or "/" in name:
        raise SourceError("is no address of a file", found=files.spelled(name))
    return url, inside, name


def _shown(address: str) -> str:
    """An address as an error shows it: without a login, and cut if it is long."""
    safe = re.sub("//[^/?#]*@", "//…@", address)
    return safe if len(safe) <= _ADDRESS else f"{safe[:_ADDRESS]}…"
