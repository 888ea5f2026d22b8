"""What has changed since a lock was written, as faults: `found` is what there is now, `expected` what the lock has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from bundler import __version__
from bundler.errors import Fault, Key
from bundler.lockfile.specs import Fetched, Files, Lock
from bundler.manifest import Manifest

__all__ = ["differences", "file_faults", "setting_faults"]

_Keys: TypeAlias = "tuple[Key, ...]"
_ABSENT = object()
_SPELLED = 200
"""Characters of a value that a fault shows."""


def differences(now: Lock, locked: Lock, manifest: Manifest, path: Path) -> Iterator[Fault]:
    """All that `now` has otherwise than the lock at `path`."""
    yield from setting_faults(manifest, locked, path)
    for index, spec in enumerate(manifest.models):
        if spec.name in locked.files:
            place = manifest.place("model", index, "source")
            faults = file_faults(now.files[spec.name], locked.files[spec.name])
            yield from (replace(fault.inside(f"model {spec.name!r}"), place=place) for fault in faults)
    keys = dict.fromkeys([*now.fetched, *locked.fetched])
    yield from (fault for key in keys for fault in _fetch_faults(key, now.fetched.get(key), locked.fetched.get(key)))


def setting_faults(manifest: Manifest, locked: Lock, path: Path) -> Iterator[Fault]:
    """What differs without a look at the sources: the version of bundler, and the manifest's settings."""
    where = str(path)
    if locked.bundler != __version__:
        yield Fault("another version of bundler wrote the lock", where, locked.bundler, __version__)
    faults = list(_differing(manifest.settings, locked.manifest.settings, ()))
    for what, keys, found, expected in faults:
        yield Fault(what, found=_spelled(found), expected=_spelled(expected), place=manifest.place(*keys))
    if locked.manifest.digest != manifest.digest and not faults:
        yield Fault("the lock is for other settings of the manifest", where, locked.manifest.digest, manifest.digest)
    yield from _missing_models(manifest, locked, where)


def _missing_models(manifest: Manifest, locked: Lock, where: str) -> Iterator[Fault]:
    """Models whose settings the lock has, but not their files: another program edited it."""
    named = {table.get("name") for table in _named(locked.manifest.settings.get("model"))}
    for index, spec in enumerate(manifest.models):
        if spec.name in named and spec.name not in locked.files:
            yield Fault("the lock has no files of this model", where, place=manifest.place("model", index))


def file_faults(now: Files, locked: Files) -> Iterator[Fault]:
    """The files of a model that differ from those in a lock."""
    for name in dict.fromkeys([*now, *locked]):
        found, expected = now.get(name), locked.get(name)
        if expected is None:
            yield Fault("the file is not in the lock", name, str(found))
        elif found is None:
            yield Fault("the model has no such file now", name, expected=str(expected))
        elif found != expected:
            yield Fault("the file is not the one in the lock", name, str(found), str(expected))


def _fetch_faults(key: str, now: Fetched | None, locked: Fetched | None) -> Iterator[Fault]:
    if now is None or locked is None:
        state = "is not in the lock" if locked is None else "is in the lock, but no model comes from it now"
        yield Fault(state, key)
    elif now.object != locked.object:
        found, expected = (each.integrity or f"sha256:{each.object}" for each in (now, locked))
        yield Fault("what is fetched is not what the lock has", key, found, expected)


# Settings ------------------------------------------------------------------------------------------

_Difference: TypeAlias = "tuple[str, _Keys, object, object]"


def _differing(now: Any, locked: Any, keys: _Keys) -> Iterator[_Difference]:
    """What differs, the keys that lead to it, and the values of both sides."""
    if isinstance(now, Mapping) and isinstance(locked, Mapping):
        for key in dict.fromkeys([*now, *locked]):
            yield from _differing(now.get(key, _ABSENT), locked.get(key, _ABSENT), (*keys, key))
    elif _named(now) and _named(locked):
        yield from _differing_entries(now, locked, keys)
    elif _tables(now) and _tables(locked) and len(now) == len(locked):
        for index, pair in enumerate(zip(now, locked)):
            yield from _differing(*pair, (*keys, index))
    elif now != locked:
        yield "the lock has another value", keys, now, locked


def _differing_entries(now: Sequence[Any], locked: Sequence[Any], keys: _Keys) -> Iterator[_Difference]:
    """The same for arrays of tables, whose entries have names."""
    before = {_name(entry): entry for entry in locked}
    after = {_name(entry): entry for entry in now}
    for index, entry in enumerate(now):
        if _name(entry) in before:
            yield from _differing(entry, before[_name(entry)], (*keys, index))
        else:
            yield "is not in the lock", (*keys, index), _ABSENT, _ABSENT
    for name in before:
        if name not in after:
            yield f"{name!r} is in the lock, but not in the manifest", keys, _ABSENT, _ABSENT
    if before.keys() == after.keys() and list(before) != list(after):
        yield "the lock has another order", keys, ", ".join(after), ", ".join(before)


def _named(entries: object) -> Sequence[Mapping[str, Any]]:
    """The entries of an array of tables if each has a name of its own; nothing for any other value."""
    tables = _tables(entries)
    return tables if len({_name(table) for table in tables} - {""}) == len(tables) else ()


def _tables(entries: object) -> Sequence[Mapping[str, Any]]:
    """The entries of an array of tables; nothing for any other value."""
    return entries if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries) else ()


def _name(table: Mapping[str, Any]) -> str:
    """The name of a table: a model's, or a signature's key."""
    return str(table.get("name") or table.get("key") or "")


def _spelled(value: object) -> str:
    if value is _ABSENT:
        return ""
    spelled = json.dumps(value, ensure_ascii=False)
    return spelled if len(spelled) <= _SPELLED else f"{spelled[:_SPELLED]}…"
