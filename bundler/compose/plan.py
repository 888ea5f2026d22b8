"""Which tensors each step of a composed signature takes: names become references, before any graph is written.

A step takes what the step before gave, or what `of` names. Faults have their places in the signature's table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bundler.compose.names import INPUTS, Keys, Names, Ref
from bundler.errors import Fault, Place, closest
from bundler.ir.model import Signature
from bundler.manifest.steps import ONLY, CallStep, ComposedSpec, MapStep, OpStep, Step

__all__ = ["Act", "Interface", "Plan", "plan"]


class Interface(NamedTuple):
    """The names of the inputs and outputs of a signature that steps may call."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @classmethod
    def of(cls, signature: Signature) -> Interface:
        """The interface of a model's signature."""
        return cls(tuple(signature.inputs), tuple(signature.outputs))


@dataclass(frozen=True)
class Act:
    """A step, what it takes, and the names of what it gives; "" for a tensor without a name.

    Of a call, `reads` has a tensor for each of `inputs`, and `outputs` are the signature's own names. `inside` are the
    acts of a map, which take its inputs.
    """

    step: Step
    reads: tuple[Ref, ...]
    gives: tuple[str, ...]
    like: Ref | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    inside: tuple[Act, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The acts of a signature in order, and the tensor of each output by its name; or what is wrong with the steps."""

    acts: tuple[Act, ...] = ()
    outputs: Mapping[str, Ref] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def plan(spec: ComposedSpec, interfaces: Mapping[str, Interface]) -> Plan:
    """The plan of a composed signature. `interfaces` are those of all signatures of the bundle, by key."""
    names = Names(spec.inputs)
    walk = _Walk(names, interfaces)
    acts = tuple(walk.acts(spec.steps, ("steps",)))
    outputs = {
        name: ref
        for index, name in enumerate(spec.outputs)
        for ref in [names.find(name, ("outputs", index), "no step gives")]
        if ref is not None
    }
    faults = [*names.faults, *_repeated(spec.outputs)]
    if not faults:
        faults += _unused(spec, acts, outputs.values())
    return Plan(acts, outputs, tuple(faults))


def _repeated(outputs: Sequence[str]) -> Iterator[Fault]:
    for index, name in enumerate(outputs):
        if name in outputs[:index]:
            yield Fault(f"{name!r} is listed twice", hint="list each output once", place=Place(("outputs", index)))


def _unused(spec: ComposedSpec, acts: Sequence[Act], outputs: Iterable[Ref]) -> Iterator[Fault]:
    """Steps and inputs that no output needs."""
    used, pending = set[int](), [ref.step for ref in outputs]
    read = {ref for act in acts for ref in (*act.reads, act.like)} | set(outputs)
    while pending:
        number = pending.pop()
        if number not in used and number != INPUTS:
            used.add(number)
            act = acts[number]
            pending += [ref.step for ref in (*act.reads, act.like) if ref is not None]
    for number, act in enumerate(acts):
        if number not in used:
            what = f"{act.step.label}: no output needs what it gives"
            yield Fault(what, hint="list it in outputs, or leave the step out", place=Place(("steps", number)))
    for at, name in enumerate(spec.inputs):
        if Ref(INPUTS, at) not in read:
            yield Fault("no step takes this input", place=Place(("inputs", name)))


class _Walk:
    """Steps become acts, one after the other."""

    def __init__(self, names: Names, interfaces: Mapping[str, Interface]) -> None:
        self._names = names
        self._interfaces = interfaces

    def acts(self, steps: Sequence[Step], outer: Keys) -> Iterator[Act]:
        """The acts of steps whose place in the signature's table is `outer`."""
        for number, step in enumerate(steps):
            place = (*outer, number)
            if isinstance(step, CallStep):
                act = self._call(step, place)
            elif isinstance(step, MapStep):
                act = self._map(step, place)
            else:
                act = self._op(step, place)
            self._names.give(number, act.gives, (*place, "as"), step.label)
            yield act

    def _op(self, step: OpStep, place: Keys) -> Act:
        like = getattr(step, "like", None)
        reads = self._reads(step, place, step.takes)
        behind = None if like is None else self._names.find(like, (*place, "like"), _BEFORE)
        return Act(step, reads, self._gives(step, place, step.results), behind)

    def _gives(self, step: OpStep | MapStep, place: Keys, results: tuple[int, int]) -> tuple[str, ...]:
        least, most = results
        names = step.names or tuple(getattr(step, "features", ()))
        if len(names) > most:
            what, found, expected = f"{step.label}: as has too many names", str(len(names)), _up_to(1, most)
            self._names.refuse(what, (*place, "as"), found=found, expected=expected)
        return (*names, *("",) * (least - len(names)))

    def _map(self, step: MapStep, place: Keys) -> Act:
        reads = self._reads(step, place, (1, 1000))
        inside = Names([f"\0{at}" for at, _ in enumerate(reads)])  # what it takes has no names in it
        acts = tuple(_Walk(inside, {}).acts(step.map, (*place, "map")))
        self._names.faults += inside.faults
        count = len(inside.last)
        return Act(step, reads, self._gives(step, place, (count, count)), inside=acts)

    def _reads(self, step: OpStep | MapStep, place: Keys, takes: tuple[int, int]) -> tuple[Ref, ...]:
        least, most = takes
        if step.of:
            places = [(*place, "of")] if len(step.of) == 1 else [(*place, "of", at) for at, _ in enumerate(step.of)]
            found = [self._names.find(name, each, _BEFORE) for name, each in zip(step.of, places)]
            if not least <= len(step.of) <= most:
                self._names.refuse(
                    f"{step.label} takes another number of tensors",
                    (*place, "of"),
                    found=str(len(step.of)),
                    expected=_up_to(least, most),
                )
            return tuple(ref for ref in found if ref is not None)
        given = len(self._names.last)
        if not least <= given <= most:
            self._names.refuse(
                f"{step.label} takes {_tensors(least, most)}, and {self._names.said} gives {given}",
                place,
                hint=self._naming(),
            )
        return self._names.last

    def _naming(self) -> str:
        named = [name for name, ref in self._names.known.items() if ref in self._names.last and name]
        return f'name one: of = "{named[0]}"' if named else "name what it takes with of"

    def _call(self, step: CallStep, place: Keys) -> Act:
        called = self._interfaces.get(step.call)
        if called is None:
            hint = closest(step.call, self._interfaces) or f"the signatures are {', '.join(self._interfaces)}"
            self._names.refuse(f"there is no signature {step.call!r}", place, hint=hint)
            return Act(step, (), tuple(step.names.values()))
        pairs = dict(self._arguments(step, called, place))
        gives = self._outputs(step, called, place)
        return Act(step, tuple(pairs.values()), gives, inputs=tuple(pairs), outputs=called.outputs)

    def _arguments(self, step: CallStep, called: Interface, place: Keys) -> Iterator[tuple[str, Ref]]:
        """Pairs of an input's name and the tensor that it takes."""
        named = self._by_name(step.of, called.inputs, (*place, "of"), f"{step.call} has no input")
        if not step.of:
            if len(called.inputs) == len(self._names.last) == 1:
                yield called.inputs[0], self._names.last[0]
                return
            if len(called.inputs) == 1:
                what = f"{step.call} takes one tensor, and {self._names.said} gives {len(self._names.last)}"
                self._names.refuse(what, place, hint=self._naming())
                return
        for name in called.inputs:
            if name not in named:
                hint = f"name a tensor for each: of = {{ {', '.join(f'{each} = …' for each in called.inputs)} }}"
                self._names.refuse(f"{step.call}: its input {name!r} gets no tensor", place, hint=hint)
            elif (ref := self._names.find(named[name], (*place, "of"), _BEFORE)) is not None:
                yield name, ref

    def _outputs(self, step: CallStep, called: Interface, place: Keys) -> tuple[str, ...]:
        other = self._by_name(step.names, called.outputs, (*place, "as"), f"{step.call} has no output")
        return tuple(other.get(name, name) for name in called.outputs)

    def _by_name(self, table: Mapping[str, str], known: Sequence[str], place: Keys, lacking: str) -> dict[str, str]:
        """A table of `of` or `as` by full names: a text alone stands for the only one."""
        made = dict[str, str]()
        for name, other in table.items():
            if name == ONLY and len(known) == 1:
                made[known[0]] = other
            elif name in known:
                made[name] = other
            else:
                listed = ", ".join(known)
                shown = f"{lacking} {name!r}" if name != ONLY else f"there are several: {listed}"
                self._names.refuse(shown, place, hint=closest(name, known) or f"the names are {listed}")
        return made


_BEFORE = "no step before this one gives"


def _tensors(least: int, most: int) -> str:
    return "one tensor" if least == most == 1 else f"{_up_to(least, most)} tensors"


def _up_to(least: int, most: int) -> str:
    if least == most:
        return str(least)
    return f"{least} or more" if most >= 1000 else f"{least} to {most}"
