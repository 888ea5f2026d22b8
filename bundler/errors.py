"""Everything that can go wrong and that we can explain.

    BundlerError            exit 1   anything we can explain
    ├── ManifestError       exit 2   the user's file is wrong
    ├── LockError           exit 3   the lock is stale or missing
    ├── SourceError         exit 4   cannot fetch, digest differs, archive is hostile
    ├── ConversionError     exit 5   a model that TensorFlow cannot take as it is
    └── VerificationError   exit 6   written, but not what was meant

An error carries one fault or several, so that a run reports all that is wrong and not just the
first thing it met; of one kind, `MOST_OF_A_KIND` are listed and the others counted. Inner code
says what it knows; each outer layer adds where it stood, with `within`. Any other exception is a
bug of ours: `unforeseen` makes an error of it that keeps its traceback.
"""

from __future__ import annotations

import difflib
import re
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

__all__ = [
    "MOST_OF_A_KIND",
    "BundlerError",
    "ConversionError",
    "Fault",
    "LockError",
    "ManifestError",
    "SourceError",
    "VerificationError",
    "closest",
    "unforeseen",
    "within",
]

MOST_OF_A_KIND = 20
"""Faults that differ only in names and places, of which an error lists this many."""
_COMPARED = 100
"""Characters of a name up to which similar ones are looked for."""
_EFFORT = 1_000_000
"""Pairs of characters that are compared to find a similar name; difflib's time grows with them."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, in words for the person who can mend it.

    `others` are faults of the same kind that are not listed.
    """

    what: str
    where: str = ""
    found: str = ""
    expected: str = ""
    hint: str = ""
    others: int = 0

    def __str__(self) -> str:
        """`where: what (found x, expected y)`, then on a line of its own `… and N more`; the hint is shown apart."""
        facts = [f"found {self.found}"] if self.found else []
        facts += [f"expected {self.expected}"] if self.expected else []
        said = f"{self.what} ({', '.join(facts)})" if facts else self.what
        placed = f"{self.where}: {said}" if self.where else said
        return f"{placed}\n… and {self.others:,} more" if self.others else placed

    @property
    def kind(self) -> tuple[str, str]:
        """What faults of one kind have in common: all but places, and names in quotes."""
        return re.sub("""'[^']*'|"[^"]*\"""", "", self.what), self.expected

    def inside(self, outer: str) -> Fault:
        """The same fault, seen from one layer further out."""
        return replace(self, where=f"{outer}: {self.where}" if self.where else outer)

    def under(self, place: str) -> Fault:
        """The same fault, its place continued from that of a larger part: `model[0]` and `outputs[1]`."""
        return replace(self, where=f"{place}.{self.where}" if self.where else place)


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
    ) -> None:
        super().__init__(what)
        self.faults: tuple[Fault, ...] = (Fault(what, where, found, expected, hint),)
        self.origin = ""
        """The traceback of the exception behind this error, if that came from elsewhere."""

    @classmethod
    def of(cls, faults: Iterable[Fault]) -> BundlerError:
        """One error for all that was found wrong, which is read once: at most `MOST_OF_A_KIND` are kept."""
        faults = _few(faults)
        error = cls(faults[0].what)
        error.faults = faults
        return error

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
    """Written, but not what was meant: exit status 6."""

    exit_code = 6


class within:  # noqa: N801 - read as a word of the sentence: `with within("node 'y'"):`
    """Add `where` to every fault that passes through."""

    # A class where a generator would do: a reader of a hundred thousand attributes enters it as often.
    __slots__ = ("_where",)

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, BundlerError):
            error.faults = tuple(fault.inside(self._where) for fault in error.faults)


def unforeseen(error: Exception) -> BundlerError:
    """An error for an exception that is none of ours: a bug, or a system that refuses. It keeps the traceback."""
    if isinstance(error, MemoryError) or str(error) == "can't start new thread":
        made = BundlerError("there is not enough memory", hint="with -j 1 a build takes the least")
    elif isinstance(error, OSError):
        made = BundlerError(error.strerror or str(error), where=str(error.filename or ""))
    else:
        said = " ".join(str(error).split())[:200]
        made = BundlerError(
            "this is a bug of bundler",
            found=f"{type(error).__name__}: {said}",
            hint="please report it, with the traceback that -vv shows",
        )
    made.origin = "".join(traceback.format_exception(error))
    return made


def closest(name: str, known: Iterable[str]) -> str:
    """A hint that names what was probably meant: "did you mean 'x'?", or nothing."""
    near = difflib.get_close_matches(name, _comparable(name, known), n=1) if len(name) <= _COMPARED else []
    return f"did you mean {near[0]!r}?" if near else ""


def _comparable(name: str, known: Iterable[str]) -> list[str]:
    """As many of `known` as can be compared with `name` in a moment: those with which it shares most at its ends."""
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
