"""A place in a manifest as a person finds it: the line, and tables by their names rather than by their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import tomli

from bundler.errors import Key, Place
from bundler.manifest.lines import lines

__all__ = ["placed"]

Keys: TypeAlias = "tuple[Key, ...]"

_KINDS = {"steps": "step", "map": "step of its map,"}
"""What entries of arrays are called whose names are plural."""
_LONGEST = 60
"""Characters of the longest name that stands for a table."""


def placed(keys: Sequence[Key], path: Path, text: str | None) -> Place:
    """A place in a manifest, with file, line and words if it has a text. A key that it lacks has its table's line."""
    if text is None:
        return Place(tuple(keys))
    known = lines(text)
    outer = (tuple(keys[:size]) for size in range(len(keys), 0, -1))
    line = next((known[part] for part in outer if part in known), 0)
    return Place(tuple(keys), str(path), line, words=": ".join(_words(tuple(keys), _titles(text))))


def _words(keys: Keys, titles: Mapping[Keys, str]) -> Iterator[str]:
    """`model 'cat'`, `signature 2`, `outputs, entry 1`."""
    start = 0
    for end in range(2, len(keys) + 1):
        if keys[:end] in titles:
            yield titles[keys[:end]]
            start = end
    inner = keys[start:]
    if inner:
        named = str(Place(tuple(key for key in inner if isinstance(key, str))))
        yield ", ".join([named, *(f"entry {key + 1}" for key in inner if isinstance(key, int))])


@lru_cache(1)
def _titles(text: str) -> Mapping[Keys, str]:
    """What a person calls each entry of an array of tables: its kind with its name, else with its number, from 1."""
    return dict(_titled((), tomli.loads(text)))


def _titled(table: Keys, values: Mapping[str, Any]) -> Iterator[tuple[Keys, str]]:
    for kind, found in values.items():
        entries = found if isinstance(found, list) else []
        names = [_name(entry) for entry in entries]
        known = Counter(names)
        for index, (entry, name) in enumerate(zip(entries, names)):
            if isinstance(entry, dict):
                yield (
                    (*table, kind, index),
                    f"{_KINDS.get(kind, kind)} {name if name and known[name] == 1 else index + 1}",
                )
                yield from _titled((*table, kind, index), entry)


def _name(entry: object) -> str:
    """The quoted name of a table, or its key; empty if it has no short one."""
    name = entry.get("name", entry.get("key")) if isinstance(entry, dict) else None
    return repr(name) if isinstance(name, str) and 0 < len(name) <= _LONGEST else ""
