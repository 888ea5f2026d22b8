"""Arrays in files: NumPy's `.npy` and `.npz`, and JSON. No file can run code, or unpack to more than it may hold."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import IO

import numpy as np

from bundler.bundle.texts import decoded
from bundler.disk.files import allowance, opened, reason
from bundler.errors import BundlerError, closest

__all__ = ["read_array", "read_arrays", "read_bytes", "write_arrays"]

_DAMAGE = (
    *(EOFError, KeyError, NotImplementedError, RecursionError, RuntimeError, SyntaxError, ValueError),
    *(zipfile.BadZipFile, zlib.error),
)
"""What json, zipfile and NumPy raise for files that are not of their format."""
_SHOWN = 100
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every member: the same arrays give the same bytes."""


def read_array(path: Path, member: str, name: str) -> object:
    """What a `.npy`, `.npz` or `.json` file holds: of an archive the array `member`; by default its only one.

    If it has several, the one called `name` or `inputs/<name>`. Raises BundlerError if it cannot be read.
    """
    return _READERS[path.suffix.lower()](path, member, name)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an `.npz` file, by name. Raises BundlerError if it cannot be read."""
    with _reading(), opened(path) as file, zipfile.ZipFile(file) as archive:
        return {name: _unpacked(archive, name) for name in _names(archive)}


def read_bytes(path: Path) -> bytes:
    """The content of a regular file. Raises BundlerError if it cannot be read."""
    with _reading(), opened(path) as file:
        return file.readall()


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an `.npz` file: `numpy.load` gives the arrays by name. Strings become `S` arrays, bfloat16 float32.

    The same arrays give the same bytes. Raises BundlerError for strings that end in NUL, which such arrays lose.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            with archive.open(entry, "w", force_zip64=True) as file:
                np.save(file, _plain(name, array), allow_pickle=False)


def _plain(name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.name == "bfloat16":
        return array.astype(np.float32)
    if array.dtype.kind != "O":
        return array
    if any(text.endswith(b"\0") for text in array.flat):
        raise BundlerError("an .npz file cannot hold strings that end in NUL", where=f"output {name!r}")
    return array.astype("S")


# Reading -----------------------------------------------------------------------------------------


def _npy(path: Path, member: str, name: str) -> np.ndarray:
    with _reading(), opened(path) as file:
        return _loaded(file)


def _json(path: Path, member: str, name: str) -> object:
    with _reading(), opened(path) as file:
        return decoded(json.loads(file.readall()))


def _npz(path: Path, member: str, name: str) -> np.ndarray:
    with _reading(), opened(path) as file, zipfile.ZipFile(file) as archive:
        return _unpacked(archive, _member(archive, member, name))


def _unpacked(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    info = archive.getinfo(f"{name}.npy")
    if info.file_size > allowance(info.compress_size):
        raise BundlerError(f"array {name!r} would unpack to far more than the file has")
    with archive.open(info) as inner:
        return _loaded(inner)


def _names(archive: zipfile.ZipFile) -> list[str]:
    return [entry.removesuffix(".npy") for entry in archive.namelist() if entry.endswith(".npy")]


def _member(archive: zipfile.ZipFile, member: str, name: str) -> str:
    names = _names(archive)
    for wanted in (member,) if member else (name, f"inputs/{name}"):
        if wanted in names:
            return wanted
    if len(names) == 1 and not member:
        return names[0]
    raise BundlerError(
        f"there is no array {member or name!r}",
        found=", ".join(names) or "no arrays",
        hint=closest(member or name, names) or ("" if member else "choose one: FILE.npz[NAME]"),
    )


def _loaded(file: IO[bytes] | RawIOBase) -> np.ndarray:
    """The array of an `.npy` stream. ValueError for anything else, and for one that holds Python's objects."""
    array = np.load(file, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise ValueError("an archive")
    return array


_READERS: Mapping[str, Callable[[Path, str, str], object]] = {".npy": _npy, ".npz": _npz, ".json": _json}


@contextmanager
def _reading() -> Iterator[None]:
    """Turn the errors of a file and its format into BundlerErrors."""
    try:
        yield
    except FileNotFoundError as error:
        raise BundlerError("there is no such file") from error
    except OSError as error:
        raise BundlerError("cannot be read", found=reason(error)) from error
    except _DAMAGE as error:
        raise BundlerError("this is no such file, or it is damaged", found=reason(error)[:_SHOWN]) from error
