"""The steps of composed signatures: those that came or went, and those that have another number now.

The names of a step's nodes begin with the signature and the step's number: `faces/3.div/by`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from bundler.report import StepReport
from bundler.report.difference import Kind, StepChange

__all__ = ["Steps", "moved_scopes", "renamed", "step_changes"]

Steps = Mapping[str, tuple[StepReport, ...]]
"""The steps of composed signatures, by key."""


def step_changes(before: Steps, after: Steps) -> Iterator[StepChange]:
    """The steps of signatures of both bundles, as far as their ops, and the types of what they give, differ."""
    for key in sorted(before.keys() & after.keys()):
        old, new = list(map(_spelled, before[key])), list(map(_spelled, after[key]))
        for kind, first, end, start, stop in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
            if kind != "equal":
                yield from _changes(key, "removed", old, range(first, end))
                yield from _changes(key, "added", new, range(start, stop))


def moved_scopes(before: Steps, after: Steps) -> dict[str, str]:
    """How names of nodes begin in the bundle before and after, for the same steps of the same signatures."""
    found = dict[str, str]()
    for key in before.keys() & after.keys():
        old, new = before[key], after[key]
        matcher = SequenceMatcher(a=list(map(_spelled, old)), b=list(map(_spelled, new)), autojunk=False)
        for start, there, size in matcher.get_matching_blocks():
            pairs = (zip(_scopes(old[start + at]), _scopes(new[there + at])) for at in range(size))
            found |= {one: other for pair in pairs for one, other in pair}
    return found


def renamed(name: str, scopes: Mapping[str, str]) -> str:
    """The name of a node, or a reference to one, with another beginning if its step has moved."""
    control = "^" if name.startswith("^") else ""
    scope = "/".join(name.removeprefix("^").split("/")[:2])
    return f"{control}{scopes[scope]}{name[len(control + scope) :]}" if scope in scopes else name


def _scopes(step: StepReport) -> list[str]:
    """How the names of a step's nodes begin; none if the step gives what it takes."""
    parts = [tensor.tensor.split("/") for tensor in step.gives]
    return ["/".join(each[:2]) for each in parts if len(each) > 2][:1]


def _changes(key: str, kind: Kind, steps: Sequence[str], places: range) -> Iterator[StepChange]:
    return (StepChange(key, kind, at + 1, steps[at]) for at in places)


def _spelled(step: StepReport) -> str:
    """A step with what it gives: `resize_bilinear  float32[1, 64, 64, 3]`."""
    return f"{step.step}  {', '.join(tensor.type for tensor in step.gives)}"
