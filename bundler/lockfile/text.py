"""The lock as a TOML file. Each file of a model has a line, so that a review shows which of them changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli
from pydantic import ValidationError

from bundler.disk import files
from bundler.errors import LockError
from bundler.lockfile.specs import Lock

__all__ = ["is_ours", "path_of", "read", "required", "spelled"]

_LARGEST = 1 << 26
"""Bytes of the largest lock."""
_SHOWN = 200
"""Characters of a parser's message that an error shows."""
_SIGN = b"# Written by `bundler lock`"
_HEAD = f"{_SIGN.decode()}: the settings and files of a bundle. `bundler build --locked` takes no others.\n"


def path_of(manifest: Path) -> Path:
    """The lock of a manifest: `pets.lock` beside `pets.toml`."""
    return manifest.with_suffix(".lock") if manifest.suffix == ".toml" else manifest.with_name(f"{manifest.name}.lock")


def read(path: Path) -> Lock | None:
    """The lock in a file; None if there is no file. Raises LockError if it is no lock that this version knows."""
    try:
        with files.opened(path) as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LockError("the lock cannot be read", where=str(path), found=files.reason(error)) from error
    return _parsed(content, path)


def required(path: Path, manifest: Path) -> Lock:
    """The same, but a missing file is a LockError."""
    lock = read(path)
    if lock is None:
        raise LockError("there is no lock", where=str(path), hint=f"`bundler lock {manifest}` writes it")
    return lock


def is_ours(path: Path) -> bool:
    """Whether a path is free, or has a file that begins as a lock of ours does, even if its end is spoilt."""
    try:
        with files.opened(path) as file:
            return file.read(len(_SIGN)) == _SIGN
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _parsed(content: bytes, path: Path) -> Lock:
    try:
        if len(content) > _LARGEST:
            raise ValueError(f"more than {_LARGEST:,} bytes")
        return Lock.model_validate(tomli.loads(content.decode(errors="surrogateescape")))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        found = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except (ValueError, RecursionError) as error:
        found = str(error)
    raise LockError(
        "is no lock that this version of bundler wrote",
        where=str(path),
        found=found[:_SHOWN],
        hint="`bundler lock` writes it anew",
    )


def spelled(lock: Lock) -> bytes:
    """The content of the file."""
    # A file name may have bytes that are not UTF-8, as surrogates.
    return "\n".join([_HEAD, *_lines(lock), ""]).encode(errors="surrogateescape")


def _lines(lock: Lock) -> Iterator[str]:
    yield from _values({"lock": lock.lock, "bundler": lock.bundler})
    yield from _table("manifest", {"digest": lock.manifest.digest})
    for name, setting in lock.manifest.settings.items():
        yield from _setting(f"manifest.{_key(name)}", setting)
    for key, fetched in lock.fetched.items():
        yield from _table(f"fetched.{_key(key)}", fetched.model_dump(exclude_defaults=True))
    for model, of_model in lock.files.items():
        yield from _table(f"files.{_key(model)}", {name: file.model_dump() for name, file in of_model.items()})


def _setting(name: str, setting: Any) -> Iterator[str]:
    """A table of the manifest, or an array of tables, as the manifest has them."""
    for table in setting if isinstance(setting, list) else [setting]:
        yield from _table(f"[{name}]" if isinstance(setting, list) else name, table)
        for key, inner in table.items():
            if _is_tables(inner):
                yield from _setting(f"{name}.{_key(key)}", inner)


def _table(name: str, table: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"[{name}]")
    yield from _values({key: value for key, value in table.items() if not _is_tables(value)})


def _values(table: Mapping[str, Any]) -> Iterator[str]:
    return (f"{_key(key)} = {_value(value)}" for key, value in table.items())


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def _value(value: object) -> str:
    """A value in one line."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(_values(value))} }}" if value else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    # TOML's basic strings are those of JSON, but for DEL, which TOML has escaped (https://toml.io/en/v1.0.0#string).
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if re.fullmatch(r"[\w-]+", key, re.ASCII) else _value(key)
