"""A composed signature becomes a model: the acts of its plan, written into one graph."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from bundler.compose.calls import Given, Shapes, call
from bundler.compose.maps import mapped
from bundler.compose.names import INPUTS, Ref
from bundler.compose.plan import Act, Plan
from bundler.drafting.library import Library
from bundler.drafting.value import Value
from bundler.errors import BundlerError, Fault, ManifestError, Place
from bundler.ir.fresh import FreshNames
from bundler.ir.model import Function, Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Tensor, new_node, shape_proto
from bundler.ir.tables import TABLES
from bundler.ir.weight import Weight
from bundler.manifest import Compat
from bundler.manifest.steps import CallStep, ComposedSpec, MapStep, parse_type
from bundler.serving.arguments import unusable
from bundler.serving.methods import method_faults
from bundler.steps import Scope, write

__all__ = ["Around", "Line", "Written", "computed", "plain", "written"]


class Line(NamedTuple):
    """A step as reports show it: the signature that it calls or its ops in words, and what it gives by name."""

    label: str
    tensors: tuple[tuple[str, TensorSpec], ...]


class Written(NamedTuple):
    """The model with the one signature, and its steps."""

    model: Model
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Around:
    """What a composed signature finds: the models that it may call, by key; names; TensorFlow's inference."""

    models: Mapping[str, Model]
    scope: str
    compat: Compat
    function_names: FreshNames
    shapes: Shapes


@dataclass
class _Draft:
    """The graph so far. `values` has what steps gave; it lacks what a step with a fault would give."""

    library: Library
    values: dict[Ref, Given] = field(default_factory=dict)
    weights: dict[str, Weight] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def written(spec: ComposedSpec, plan: Plan, around: Around) -> Written:
    """The model of a composed signature. Raises ManifestError with all faults, by their places in its table."""
    draft = _Draft(Library())
    draft.library.function_names = around.function_names
    inputs = dict(_inputs(spec, draft, around.scope))
    for number, act in enumerate(plan.acts):
        _Act(act, number, draft, around).write()
    outputs = dict(_outputs(spec, plan, draft, around.scope))
    signature = Signature(inputs, outputs, spec.method_name)
    draft.faults += _signature_faults(signature)
    if draft.faults:
        raise ManifestError.of(draft.faults)
    model = Model(
        Graph(tuple(draft.library.main.nodes), draft.weights),
        {spec.key: signature},
        {**draft.functions, **draft.library.functions},
        producer=max((model.producer for model in around.models.values()), default=0),
    )
    return Written(model, tuple(_lines(plan, draft)))


def _inputs(spec: ComposedSpec, draft: _Draft, scope: str) -> Iterator[tuple[str, TensorSpec]]:
    sketch = draft.library.main
    for at, (name, text) in enumerate(spec.inputs.items()):
        dtype, shape = parse_type(text)
        node = sketch.fresh(f"{scope}/{plain(name)}")
        sketch.nodes.append(new_node("Placeholder", node, dtype=dtype, shape=shape_proto(shape)))
        draft.values[Ref(INPUTS, at)] = Value(node, shape, dtype, sketch)
        yield name, TensorSpec(Tensor(node), dtype, shape)


def _outputs(spec: ComposedSpec, plan: Plan, draft: _Draft, scope: str) -> Iterator[tuple[str, TensorSpec]]:
    """Nodes that have the outputs' names."""
    for name in spec.outputs:
        if plan.outputs[name] in draft.values:
            spec_of = _spec(draft.values[plan.outputs[name]])
            node = draft.library.main.fresh(f"{scope}/{plain(name)}")
            draft.library.main.nodes.append(new_node("Identity", node, [str(spec_of.tensor)], T=spec_of.dtype))
            yield name, replace(spec_of, tensor=Tensor(node))


def _signature_faults(signature: Signature) -> Iterator[Fault]:
    yield from (
        Fault(f"callers in Python cannot pass this input: {why}", place=Place(("inputs", name)))
        for name, why, _ in unusable(signature.inputs)
    )
    yield from (replace(fault, place=Place(("method_name",))) for fault in method_faults(signature))


def _lines(plan: Plan, draft: _Draft) -> Iterator[Line]:
    for number, act in enumerate(plan.acts):
        named = ((name, draft.values[Ref(number, at)]) for at, name in enumerate(act.gives))
        yield Line(act.step.label, tuple((name, _spec(given)) for name, given in named))


def _spec(given: Given) -> TensorSpec:
    if isinstance(given, TensorSpec):
        return given
    return TensorSpec(Tensor.parse(given.reference), given.dtype, given.shape)


class _Act:
    """One act, to be written."""

    def __init__(self, act: Act, number: int, draft: _Draft, around: Around) -> None:
        self._act = act
        self._number = number
        self._draft = draft
        self._around = around
        self._name = f"{around.scope}/{number}.{plain(act.step.call if isinstance(act.step, CallStep) else _word(act))}"

    def write(self) -> None:
        """Write it, if all that it takes is there. A fault is kept, with its place."""
        reads = [*self._act.reads, *([] if self._act.like is None else [self._act.like])]
        if any(ref not in self._draft.values for ref in reads):
            return
        try:
            results = self._results([_known(self._draft.values[ref]) for ref in reads])
        except BundlerError as error:
            self._draft.faults += [self._located(fault) for fault in error.faults]
            return
        for at, _ in enumerate(self._act.gives):
            self._draft.values[Ref(self._number, at)] = results[at]

    def _results(self, values: Sequence[Value]) -> Sequence[Given]:
        step = self._act.step
        if isinstance(step, CallStep):
            return self._call(step, values)
        return computed(
            Scope(self._draft.library, self._draft.library.main, self._name, self._around.compat), self._act, values
        )

    def _call(self, step: CallStep, values: Sequence[Value]) -> Sequence[Given]:
        model = self._around.models[step.call]
        fed = dict(zip(self._act.inputs, values))
        called = call(model, step.call, fed, self._name, self._around.compat, self._around.shapes)
        there = {node.name for node in self._draft.library.main.nodes if node.op in TABLES}
        self._draft.library.main.nodes += [node for node in called.nodes if node.name not in there]
        self._draft.weights |= called.weights
        self._draft.functions |= model.functions
        return called.outputs

    def _located(self, fault: Fault) -> Fault:
        step = self._act.step
        what = fault.what if isinstance(step, CallStep) else f"{_word(self._act)}: {fault.what}"
        return replace(fault, what=what, place=Place(("steps", self._number)))


def computed(scope: Scope, act: Act, values: Sequence[Value]) -> Sequence[Value]:
    """What an op or a map gives for what it reads; the value that `like` names comes last."""
    assert not isinstance(act.step, CallStep)
    if isinstance(act.step, MapStep):
        return mapped(scope, values, partial(_turn, act.inside))
    return write(scope, act.step, *((values[:-1], values[-1]) if act.like else (values,)))


def _known(given: Given) -> Value:
    """A value that steps can take. Raises ManifestError for a tensor of an unknown rank."""
    if isinstance(given, TensorSpec):
        hint = "fix the shapes of the model that it comes from with shapes = { … }"
        raise ManifestError("takes a tensor whose rank is unknown", found=str(given.dtype), hint=hint)
    return given


def _word(act: Act) -> str:
    return "map" if isinstance(act.step, MapStep) else act.step.label


def _turn(acts: Sequence[Act], scope: Scope, entries: tuple[Value, ...]) -> tuple[Value, ...]:
    """One turn of a map."""
    values = {Ref(INPUTS, at): entry for at, entry in enumerate(entries)}
    results: tuple[Value, ...] = entries
    for number, act in enumerate(acts):
        inner = replace(scope, step=f"{scope.step}/{number}.{act.step.label}")
        like = None if act.like is None else values[act.like]
        assert not isinstance(act.step, (CallStep, MapStep))
        try:
            results = write(inner, act.step, [values[ref] for ref in act.reads], like)
        except BundlerError as error:
            error.faults = tuple(replace(fault, what=f"{act.step.label}: {fault.what}") for fault in error.faults)
            raise
        values |= {Ref(number, at): result for at, result in enumerate(results)}
    return results


def plain(key: str) -> str:
    """A name of the user as a part of a node's name."""
    return re.sub(r"[^A-Za-z0-9_.\-]", "_", key) or "_"
