"""Names for models and bundles, from their sources."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import count
from pathlib import Path

__all__ = ["bundle_name", "model_names", "natural"]

_ARCHIVE = re.compile(r"\.(?:zip|tar\.gz|tgz)(?:#|$)", re.IGNORECASE)
_MODEL = re.compile(r"\.(?:json|pb)$", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://(?P<path>[^?#]*)[^#]*", re.IGNORECASE | re.DOTALL)
_VERSION = re.compile(r"(?<=.)@[^/]*")
_ANY_MODEL = {"model", "tensorflowjs_model", "web_model", "tfjs_model", "model_web", "web", "tfjs", ""}
"""Names of files and folders that any model may have, in lower case."""
_LONGEST = 80


def model_names(sources: Sequence[str], folder: Path) -> list[str]:
    """A legal and unique name for each source: that of its file or folder, with outer folders if need be.

    Relative paths start in `folder`.
    """
    paths = [_path(source, folder) for source in sources]
    depths = [1] * len(paths)
    while True:
        names = [_legal("_".join(path[-depth:])) for path, depth in zip(paths, depths)]
        times = Counter(names)
        short = [at for at, name in enumerate(names) if times[name] > 1 and depths[at] < len(paths[at])]
        if not short:
            return _numbered(names)
        for at in short:
            depths[at] += 1


def bundle_name(file: str, sources: Sequence[str], folder: Path) -> str:
    """A legal name for a bundle: that of the manifest's file, else of the package, archive or folder of all models."""
    return _legal(file or _common([_path(source, folder) for source in sources]), "bundle")


def natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts `y_2` before `y_10`."""
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split(r"([0-9]{1,9})", name)]


def _path(source: str, folder: Path) -> tuple[str, ...]:
    """The names that lead to a model, without those that any model may have."""
    plain = source.removeprefix("npm:")
    spelled = _VERSION.sub("", plain, 1) if plain != source else _ADDRESS.sub(r"\g<path>", source)
    opened = _MODEL.sub("", _ARCHIVE.sub("/", spelled))
    parts = [part for part in opened.split("/") if part not in ("", ".", "..")]
    while parts and parts[-1].lower() in _ANY_MODEL:
        parts.pop()
    return tuple(parts) or (folder.absolute().name or "model",)


def _common(paths: Sequence[tuple[str, ...]]) -> str:
    """The last name that all paths have in common; that of the only model if there is one."""
    shared = [names[0] for names in zip(*paths) if len(set(names)) == 1]
    distinct = [name for name in shared if name.lower() not in ("models", *_ANY_MODEL)]
    return distinct[-1] if distinct else ""


def _legal(name: str, other: str = "model") -> str:
    """The name in the characters of a scope, at most 80 of them; `other` if none are left."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", name)[:_LONGEST].strip("_.-")
    return plain or other


def _numbered(names: Sequence[str]) -> list[str]:
    """The names; those that came before get a number: `a`, `a_2`."""
    found: list[str] = []
    for name in names:
        found.append(name if name not in found else _free(name, {*names, *found}))
    return found


def _free(name: str, taken: Collection[str]) -> str:
    return next(made for number in count(2) if (made := f"{name}_{number}") not in taken)
