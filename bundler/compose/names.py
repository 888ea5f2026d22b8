"""The names of tensors in a composed signature."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from bundler.errors import Fault, Key, Place, closest

__all__ = ["INPUTS", "Names", "Ref"]

INPUTS = -1
"""The number of the step that gives the signature's inputs."""


class Ref(NamedTuple):
    """A tensor: the number of the step that gives it, and its place among what that step gives."""

    step: int
    at: int = 0


Keys: TypeAlias = "tuple[Key, ...]"
"""A place in the signature's table: keys and indices."""


class Names:
    """The names that steps have given so far, and what the last one gave; `faults` collects what is wrong."""

    def __init__(self, inputs: Iterable[str]) -> None:
        self.known = {name: Ref(INPUTS, at) for at, name in enumerate(inputs)}
        self.last: tuple[Ref, ...] = tuple(self.known.values())
        self.said = "the signature"
        self.faults: list[Fault] = []

    def refuse(self, what: str, place: Keys, *, found: str = "", expected: str = "", hint: str = "") -> None:
        """Collect a fault."""
        self.faults.append(Fault(what, found=found, expected=expected, hint=hint, place=Place(place)))

    def find(self, name: str, place: Keys, lacking: str) -> Ref | None:
        """The tensor of a name; None, and a fault, if there is none."""
        if name not in self.known:
            hint = closest(name, self.known) or f"the names here are {', '.join(self.known)}"
            self.refuse(f"{lacking} {name!r}", place, hint=hint)
        return self.known.get(name)

    def give(self, number: int, names: Sequence[str], place: Keys, said: str) -> None:
        """A step gives as many tensors as there are names."""
        self.last = tuple(Ref(number, at) for at, _ in enumerate(names))
        self.said = said
        for name, ref in zip(names, self.last):
            if name in self.known:
                hint = "a name is given once: choose another with as"
                self.refuse(f"another step gives {name!r} already", place, hint=hint)
            elif name:
                self.known[name] = ref
