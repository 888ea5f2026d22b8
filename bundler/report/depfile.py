"""The files of the user that a bundle depends on, as a rule of Make."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bundler import sources
from bundler.artifacts import artifact
from bundler.errors import BundlerError
from bundler.manifest import Manifest
from bundler.sources import archive

__all__ = ["rule"]

_UNWRITABLE = re.compile(r"[\0-\x1f;|]|\\$")
"""What Make has no way to write in a name: https://www.gnu.org/software/make/manual/html_node/Rule-Syntax.html."""


def rule(manifest: Manifest, output: Path, files: Mapping[str, Sequence[str]], lock: Path | None = None) -> str:
    """The rule of a bundle's `saved_model.pb`, with a rule of its own for each file, which may be removed one day.

    `files` are the names of each model's files, by the model's name. What is fetched is not listed. Raises BundlerError
    if Make cannot write a path.
    """
    paths = [manifest.path, *filter(None, [lock]), *manifest.files, *_own_files(manifest, files)]
    listed = dict.fromkeys(map(os.path.normpath, paths))
    target = _name(os.path.normpath(output / "saved_model.pb")).replace("%", r"\%")
    needed = [_name(path) for path in listed]
    alone = "".join(f"\n{each}:\n".replace("%", r"\%") for each in needed)
    return f"{target}: \\\n  " + " \\\n  ".join(needed) + f"\n{alone}"


def _own_files(manifest: Manifest, files: Mapping[str, Sequence[str]]) -> Iterator[Path]:
    """The files of models that are not fetched: an archive counts as a whole."""
    for spec in manifest.models:
        own = sources.at_hand(spec.source, manifest.folder)
        if own is not None and archive.is_archive(own.name) and own.is_file():
            yield own
        elif own is not None:
            yield from (artifact.entry(own).with_name(name) for name in files[spec.name])


def _name(path: str) -> str:
    if _UNWRITABLE.search(path):
        raise BundlerError("a dependency file of Make cannot name this path", where="--depfile", found=repr(path))
    path = f"./{path}" if path.startswith("~") else path
    # A run of backslashes before a blank counts double (GCC's libcpp/mkdeps.cc writes names so).
    spaced = re.sub(r"(\\*)([ #:])", r"\1\1\\\2", path).replace("$", "$$")
    return re.sub(r"([*?\[])", r"\\\1", spaced).replace("=", "$(subst ,,=)")
