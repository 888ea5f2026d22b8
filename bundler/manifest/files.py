"""The file of a manifest: its text, its TOML, and what it is if it is something else."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path

import tomli

from bundler.errors import ManifestError, Place, nearest

__all__ = ["parse", "read_text"]

_LARGEST = 1 << 24
"""Bytes of the largest manifest."""
_LISTED = 10_000
"""Entries of a folder that are looked at, to name the one that was meant."""
_NAMED = 3
"""Manifests of a folder that a hint names."""

_SOURCE = re.compile(r"npm:|https?:/")
_ARCHIVES = (".zip", ".tar.gz", ".tgz")

_SYNTAX: Mapping[str, str] = {
    r"Illegal character '\\n'": "a string ends on its line, with the quote that it begins with",
    "Unescaped '\\\\' in a string": "paths have forward slashes, on every system: models/posenet",
    "Invalid value": 'strings are in quotes, true and false in small letters: name = "pets"',
    "Cannot overwrite a value": "the table has this key already",
    "Cannot declare .* twice": "the file has this table already; a further entry of an array has two brackets",
    "Expected '=' after a key": 'a line is a table, `[bundle]`, or a key with its value, `name = "pets"`',
    "Invalid statement": 'a line is a table, `[bundle]`, or a key with its value, `name = "pets"`',
}
"""Hints by what tomli says."""


def read_text(path: Path) -> str:
    """The text of the file. Raises ManifestError if there is none, or if it is no text."""
    place = Place(file=str(path))
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise _unread(path, error) from None
    if len(content) > _LARGEST:
        raise ManifestError("is too large for a manifest", expected=f"at most {_LARGEST:,} bytes", place=place)
    try:
        # Editors on Windows may begin a file with a byte order mark, which TOML does not know.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse_models(path, content)
        place = replace(place, line=content[: error.start].count(b"\n") + 1)
        raise ManifestError("is not UTF-8 text", where=f"byte {error.start}", place=place) from None


def parse(text: str, path: Path) -> dict[str, object]:
    """The document in the text of the file. Raises ManifestError if it is not TOML."""
    place = Place(file=str(path))
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        _refuse_models(path, text.lstrip()[:1].encode())
        place = replace(place, line=error.lineno, column=error.colno)
        hint = next((hint for said, hint in _SYNTAX.items() if re.match(said, error.msg)), "")
        raise ManifestError(error.msg[:1].lower() + error.msg[1:], hint=hint, place=place) from None
    except RecursionError:
        raise ManifestError("is nested too deeply", place=place) from None
    except ValueError:
        raise ManifestError("an integer has more digits than Python reads", place=place) from None


def _unread(path: Path, error: OSError) -> ManifestError:
    place = Place(file=str(path))
    if _SOURCE.match(str(path)):
        return ManifestError("is a model's source, not a manifest", hint=_model_hint(str(path)), place=place)
    if isinstance(error, IsADirectoryError):
        return _folder(path)
    if not isinstance(error, FileNotFoundError):
        return ManifestError("cannot be read", found=error.strerror or str(error), place=place)
    near = nearest(path.stem, (name.removesuffix(".toml") for name in _manifests(path.parent)))
    hint = f"did you mean '{near}.toml'?" if near else _here(path)
    return ManifestError("there is no such file", hint=hint, place=place)


def _here(path: Path) -> str:
    """A hint that says what a relative path is relative to."""
    with suppress(OSError):
        return "" if path.is_absolute() else f"the current folder is {Path.cwd()}"
    return ""


def _folder(path: Path) -> ManifestError:
    """The error for a folder in place of a file: it may be a bundle, or a model, or hold manifests."""
    place, names, manifests = Place(file=str(path)), set(_listed(path)), list(_manifests(path))
    if {"saved_model.pb", "saved_model.pbtxt"} & names:
        hint = f"`bundler inspect {shlex.quote(str(path))}` shows what is in it"
        return ManifestError("is a SavedModel, not a manifest", hint=hint, place=place)
    if "model.json" in names:
        return ManifestError("is a model, not a manifest", hint=_model_hint(str(path)), place=place)
    files = [str(path / name) for name in manifests[:_NAMED]]
    hint = f"name the file: {' or '.join(files)}" if files else ""
    return ManifestError("is a folder, not a manifest", hint=hint, place=place)


def _refuse_models(path: Path, content: bytes) -> None:
    """Raise ManifestError if a file that is no TOML looks like a model: JSON, or an archive."""
    is_json = path.suffix == ".json" or content[:1] == b"{"
    if is_json or path.name.lower().endswith(_ARCHIVES):
        what = f"is {'JSON' if is_json else 'an archive'}, not a manifest"
        raise ManifestError(what, hint=f"for a model, {_model_hint(str(path))}", place=Place(file=str(path)))


def _model_hint(source: str) -> str:
    model = shlex.quote(source)
    return f"`bundler init {model}` writes a manifest, `bundler convert {model} OUTPUT` converts without one"


def _manifests(folder: Path) -> Iterator[str]:
    """The names of the files of a folder that may be manifests, in order."""
    return (name for name in sorted(_listed(folder)) if name.endswith(".toml"))


def _listed(folder: Path) -> list[str]:
    with suppress(OSError):
        return [path.name for path in islice(folder.iterdir(), _LISTED)]
    return []
