"""Everything that can go wrong and that we can explain.

    BundlerError            exit 1   anything we can explain
    ├── ManifestError       exit 2   the user's file is wrong
    ├── LockError           exit 3   the lock is stale or missing
    ├── SourceError         exit 4   cannot fetch, digest differs, archive is hostile
    ├── ConversionError     exit 5   a model that cannot become part of a bundle
    └── VerificationError   exit 6   built, but not what was meant

An error carries one fault or several, so that a run reports all that is wrong and not only the first
fault it met; of one kind, `MOST_OF_A_KIND` are listed and the others counted. A fault's place has two
parts: `place` in the manifest, typed, and `where` in words (a source, a node), which each outer layer
extends with `within`. Any other exception is a bug of bundler: `unforeseen` makes an error of it that
keeps its traceback.
"""

from __future__ import annotations

import difflib
import json
import re
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

__all__ = [
    "MOST_OF_A_KIND",
    "NOWHERE",
    "BundlerError",
    "ConversionError",
    "Fault",
    "LockError",
    "ManifestError",
    "Place",
    "SourceError",
    "VerificationError",
    "closest",
    "nearest",
    "some",
    "together",
    "unforeseen",
    "within",
]

MOST_OF_A_KIND = 20
"""How many faults an error lists that differ only in names and places."""
_COMPARED = 100
"""Characters of the longest name that `closest` compares."""
_EFFORT = 1_000_000
"""Pairs of characters that `closest` compares at most; difflib's time grows with them."""


Key: TypeAlias = "str | int"
"""A key of a table, or an index of an array."""


@dataclass(frozen=True)
class Place:
    """A place in a manifest: the keys and indices that lead to it, such as `("model", 3, "source")`.

    `file`, `line` and `column`, both from 1, are those of the manifest; empty and 0 as long as they are not known.
    `words` say the same as `keys` to a person, who finds tables by their names.
    """

    keys: tuple[Key, ...] = ()
    file: str = ""
    line: int = 0
    column: int = 0
    words: str = field(default="", compare=False)

    def __str__(self) -> str:
        """In words, else by its keys: `model 'cat': rename."a/b"`, `model[3].rename."a/b"`."""
        return self.words or "".join(map(_step, self.keys)).removeprefix(".")

    def under(self, *keys: Key) -> Place:
        """The same place, seen from a larger part of the manifest."""
        return replace(self, keys=(*keys, *self.keys), words="")


def _step(key: Key) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if re.fullmatch(r"[\w\-]+", key, re.ASCII) else f".{json.dumps(key, ensure_ascii=False)}"


NOWHERE = Place()
"""No place in a manifest."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, in words for the person who can mend it.

    `where` is the place in words (a source, a node), `place` the one in the manifest. `others` counts the faults of the
    same kind that are not listed.
    """

    what: str
    where: str = ""
    found: str = ""
    expected: str = ""
    hint: str = ""
    others: int = 0
    place: Place = NOWHERE

    def __str__(self) -> str:
        """`place: where: what (found x, expected y)`, then on its own line `… and N more`. The hint is not in it."""
        facts = [f"found {self.found}"] if self.found else []
        facts += [f"expected {self.expected}"] if self.expected else []
        said = f"{self.what} ({', '.join(facts)})" if facts else self.what
        placed = f"{self.whereabouts}: {said}" if self.whereabouts else said
        return f"{placed}\n… and {self.others:,} more" if self.others else placed

    @property
    def whereabouts(self) -> str:
        """The file, its line and the place in it, in words if there are such: `pets.toml:7: model 'cat': node 'y'`."""
        file = ":".join(map(str, filter(None, (self.place.file, self.place.line, self.place.column))))
        return ": ".join(filter(None, (file, self.where or str(self.place))))

    @property
    def kind(self) -> tuple[str, str]:
        """What faults of one kind have in common: all but their places, and names in quotes."""
        return re.sub("""'[^']*'|"[^"]*\"""", "", self.what), self.expected

    def inside(self, outer: str) -> Fault:
        """The same fault, with `outer` before its place in words."""
        return replace(self, where=f"{outer}: {self.where}" if self.where else outer)

    def under(self, *keys: Key) -> Fault:
        """The same fault, with `keys` before its place in the manifest: `"model", 0` and `"outputs", 1`."""
        return replace(self, place=self.place.under(*keys))


class BundlerError(Exception):
    """Anything we can explain: exit status 1."""

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        found: str = "",
        expected: str = "",
        hint: str = "",
        place: Place = NOWHERE,
    ) -> None:
        super().__init__(what)
        self.faults: tuple[Fault, ...] = (Fault(what, where, found, expected, hint, place=place),)
        self.origin = ""
        """The traceback of the exception behind this error, if another process or module raised that."""

    @classmethod
    def of(cls, faults: Iterable[Fault]) -> BundlerError:
        """One error for several faults, of which it keeps at most `MOST_OF_A_KIND` of a kind. `faults` is read once."""
        faults = _few(faults)
        error = cls(faults[0].what)
        error.faults = faults
        return error

    @property
    def trace(self) -> str:
        """Where the error comes from: its `origin`, else its own traceback."""
        return self.origin or "".join(traceback.format_exception(self))

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders whole: the default would rebuild them from `what` alone.
        return type(self).of, (self.faults,), {"origin": self.origin}


class ManifestError(BundlerError):
    """The user's file is wrong: exit status 2."""

    exit_code = 2


class LockError(BundlerError):
    """The lock is stale or missing: exit status 3."""

    exit_code = 3


class SourceError(BundlerError):
    """A source cannot be fetched, differs from its digest, or is hostile: exit status 4."""

    exit_code = 4


class ConversionError(BundlerError):
    """A model that cannot become part of a bundle: exit status 5."""

    exit_code = 5


class VerificationError(BundlerError):
    """Built, but not what was meant: exit status 6."""

    exit_code = 6


class within:  # noqa: N801 - read as a word of the sentence: `with within("node 'y'"):`
    """Add `where` to every fault of a BundlerError that leaves the block."""

    # A class is entered faster than a generator; a reader of a hundred thousand attributes enters it as often.
    __slots__ = ("_where",)

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, BundlerError):
            error.faults = tuple(fault.inside(self._where) for fault in error.faults)


def together(errors: Sequence[BundlerError]) -> BundlerError:
    """One error with all faults and tracebacks, of the kind with the lowest exit status: a manifest's errors win."""
    kind = type(min(errors, key=lambda error: error.exit_code))
    error = kind.of(fault for error in errors for fault in error.faults)
    error.origin = "\n".join(error.trace for error in errors)
    return error


def unforeseen(error: Exception) -> BundlerError:
    """A BundlerError for any other exception: a bug, or a refusal of the system. Its `origin` is the traceback."""
    if isinstance(error, MemoryError) or str(error) == "can't start new thread":
        made = BundlerError("there is not enough memory", hint="with -j 1 a build takes the least")
    elif isinstance(error, OSError):
        made = BundlerError(error.strerror or str(error), where=str(error.filename or ""))
    else:
        words = " ".join(str(error).split())[:200]
        made = BundlerError(
            "this is a bug of bundler",
            found=f"{type(error).__name__}: {words}",
            hint="please report it, with the traceback that -vv shows",
        )
    made.origin = "".join(traceback.format_exception(error))
    return made


def closest(name: str, known: Iterable[str]) -> str:
    """A hint that names the most similar of `known`: "did you mean 'x'?"; empty if none is similar."""
    near = nearest(name, known)
    return f"did you mean {near!r}?" if near else ""


def some(names: Sequence[str], most: int) -> str:
    """The first of several names, and how many more there are: `a, b, … and 3 more`."""
    listed = ", ".join(names[:most])
    return listed if len(names) <= most else f"{listed}, … and {len(names) - most:,} more"


def nearest(name: str, known: Iterable[str]) -> str:
    """The most similar of `known`; empty if none is similar."""
    near = difflib.get_close_matches(name, _comparable(name, known), n=1) if len(name) <= _COMPARED else []
    return near[0] if near else ""


def _comparable(name: str, known: Iterable[str]) -> list[str]:
    """As many of `known` as difflib compares with `name` in a moment: those that share the most with its ends."""
    short = [other for other in known if len(other) <= _COMPARED]
    most = _EFFORT // (len(name) + 1) ** 2
    return short if len(short) <= most else sorted(short, key=lambda other: -_shared(name, other))[:most]


def _shared(name: str, other: str) -> int:
    """How many characters two names have in common at their ends."""
    return _prefix(name, other) + _prefix(name[::-1], other[::-1])


def _prefix(name: str, other: str) -> int:
    return next((index for index, (one, two) in enumerate(zip(name, other)) if one != two), min(len(name), len(other)))


def _few(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """The first faults of each kind; the last one of them counts the others."""
    kept: list[Fault] = []
    seen: Counter[tuple[str, str]] = Counter()
    others: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], int] = {}
    for fault in faults:
        kind = fault.kind
        seen[kind] += 1
        others[kind] += fault.others
        if seen[kind] <= MOST_OF_A_KIND:
            last[kind] = len(kept)
            kept.append(replace(fault, others=0) if fault.others else fault)
        else:
            others[kind] += 1
    for kind, index in last.items():
        if others[kind]:
            kept[index] = replace(kept[index], others=others[kind])
    return tuple(kept)
