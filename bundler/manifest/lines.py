"""The line of each key and entry of a TOML file. tomli, which reads the values, keeps no positions.

The file is known to be valid: its grammar (https://toml.io/en/v1.0.0) is followed only as far as keys are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import tomli

from bundler.errors import Key

__all__ = ["lines"]

Keys: TypeAlias = "tuple[Key, ...]"
Lines: TypeAlias = "Mapping[Keys, int]"
"""Line, from 1, by keys and indices: `("model", 0, "outputs", 2)`."""

_TOKEN = re.compile(
    r'''
    (?P<space> [\ \t\r]+ | \#[^\n]* )
    | (?P<text> """ (?:[^\\]|\\.)*? "{3,5}(?!") | \'\'\' .*? \'{3,5}(?!\') | "(?:[^"\\\n]|\\.)*" | \'[^\'\n]*\' )
    | (?P<mark> [\[\]{},=\n] )
    | (?P<bare> [^\s\[\]{},=\#"\']+ )
    ''',
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


@lru_cache(1)
def lines(text: str) -> Lines:
    """The lines of all keys, tables and array entries of a valid TOML document."""
    return _Scan(text).found


class _Scan:
    """A walk through the tokens of a document; `found` are the lines."""

    def __init__(self, text: str) -> None:
        self.found: dict[Keys, int] = {}
        self._sizes: dict[Keys, int] = {}  # of arrays of tables
        self._tokens = [*_tokens(text), _Token("mark", "\n", 0)]
        self._at = 0
        table: Keys = ()
        while self._at < len(self._tokens):
            if self._takes("["):
                table = self._header()
            elif not self._takes("\n"):
                self._pair(table)

    def _takes(self, mark: str) -> bool:
        """Consume the next token if it is this mark; return whether it is."""
        taken = self._tokens[self._at].kind == "mark" and self._tokens[self._at].text == mark
        self._at += taken
        return taken

    def _header(self) -> Keys:
        """The table that `[a.b]` or `[[a.b]]` begins; its first bracket is consumed."""
        line, repeats = self._tokens[self._at].line, self._takes("[")
        *outer, last = self._key("]")
        table: Keys = ()
        for key in outer:
            table = self._entered((*table, key))
        table = (*table, last)
        if repeats:
            self._takes("]")
            self._sizes[table] = self._sizes.get(table, 0) + 1
            self.found.setdefault(table, line)
            table = self._entered(table)
        self.found.setdefault(table, line)
        return table

    def _entered(self, table: Keys) -> Keys:
        """The last entry of an array of tables, to which a header refers by the array's name; else the table."""
        return (*table, self._sizes[table] - 1) if table in self._sizes else table

    def _key(self, end: str) -> list[str]:
        """The parts of a dotted key; the mark after it is consumed."""
        spelled = ""
        while not self._takes(end):
            spelled += self._tokens[self._at].text
            self._at += 1
        return [spelled] if spelled.isidentifier() else list(_parts(tomli.loads(f"{spelled}=0")))

    def _pair(self, table: Keys) -> None:
        line = self._tokens[self._at].line
        place = table
        for part in self._key("="):
            place = (*place, part)
            self.found.setdefault(place, line)
        self._value(place)

    def _value(self, place: Keys) -> None:
        if self._takes("["):
            self._array(place)
        elif self._takes("{"):
            while not self._takes("}"):
                if not (self._takes(",") or self._takes("\n")):
                    self._pair(place)
        else:
            self._at += 1
            while self._tokens[self._at].kind == "bare":  # the time after a date
                self._at += 1

    def _array(self, place: Keys) -> None:
        index = 0
        while not self._takes("]"):
            if not (self._takes(",") or self._takes("\n")):
                entry = (*place, index)
                self.found[entry] = self._tokens[self._at].line
                self._value(entry)
                index += 1


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "space":
            yield _Token(match.lastgroup or "", match.group(), line)
        line += match.group().count("\n")


def _parts(table: object) -> Iterator[str]:
    """The keys of tables that hold one entry each, from the outside in."""
    while isinstance(table, dict):
        ((key, table),) = table.items()
        yield key
