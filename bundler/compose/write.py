"""A composed signature becomes a model: the acts of its plan, written into one graph."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from bundler.compose.calls import Shapes, call
from bundler.compose.maps import mapped
from bundler.compose.names import INPUTS, Ref
from bundler.compose.plan import Act, Plan
from bundler.drafting.library import Library
from bundler.drafting.value import Value
from bundler.errors import BundlerError, Fault, ManifestError, Place
from bundler.ir.fresh import FreshNames
from bundler.ir.model import Function, Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Tensor, new_node, shape_proto
from bundler.ir.weight import Weight
from bundler.manifest import Compat
from bundler.manifest.steps import CallStep, ComposedSpec, MapStep, parse_type
from bundler.serving.arguments import unusable
from bundler.serving.methods import method_faults
from bundler.steps import Scope, write

__all__ = ["Around", "Line", "Written", "plain", "written"]


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
    """The graph so far. `values` has what steps gave: None for a tensor of an unknown rank, no entry after a fault."""

    library: Library
    values: dict[Ref, Value | None] = field(default_factory=dict)
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
    for index, name in enumerate(spec.outputs):
        ref = plan.outputs[name]
        value = draft.values.get(ref)
        if value is not None:
            named = Scope(draft.library, draft.library.main, scope).op("Identity", value, name=plain(name))
            yield name, TensorSpec(Tensor.parse(named.reference), named.dtype, named.shape)
        elif ref in draft.values:
            hint = "fix the shapes of the model with shapes = { … }"
            draft.faults.append(Fault("its rank is unknown", hint=hint, place=Place(("outputs", index))))


def _signature_faults(signature: Signature) -> Iterator[Fault]:
    yield from (
        Fault(f"callers in Python cannot pass this input: {why}", place=Place(("inputs", name)))
        for name, why, _ in unusable(signature.inputs)
    )
    yield from (replace(fault, place=Place(("method_name",))) for fault in method_faults(signature))


def _lines(plan: Plan, draft: _Draft) -> Iterator[Line]:
    for number, act in enumerate(plan.acts):
        named = ((name, draft.values.get(Ref(number, at))) for at, name in enumerate(act.gives))
        yield Line(act.step.label, tuple((name, _spec(value)) for name, value in named))


def _spec(value: Value | None) -> TensorSpec:
    return (
        TensorSpec(Tensor(""), None, None)
        if value is None
        else TensorSpec(Tensor.parse(value.reference), value.dtype, value.shape)
    )


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
        values = [self._draft.values.get(ref) for ref in self._act.reads]
        if any(ref not in self._draft.values for ref in self._act.reads):
            return
        try:
            results = self._results([value for value in values if value is not None], len(values))
        except BundlerError as error:
            self._draft.faults += [self._located(fault) for fault in error.faults]
            return
        for at, _ in enumerate(self._act.gives):
            self._draft.values[Ref(self._number, at)] = results[at]

    def _results(self, values: Sequence[Value], count: int) -> Sequence[Value | None]:
        step = self._act.step
        if len(values) < count:
            hint = "fix the shapes of the model that it comes from with shapes = { … }"
            raise ManifestError("takes a tensor whose rank is unknown", hint=hint)
        if isinstance(step, CallStep):
            return self._call(step, values)
        scope = Scope(self._draft.library, self._draft.library.main, self._name, self._around.compat)
        if isinstance(step, MapStep):
            return mapped(scope, values, partial(_turn, self._act.inside))
        like = None if self._act.like is None else self._draft.values.get(self._act.like)
        return write(scope, step, values, like)

    def _call(self, step: CallStep, values: Sequence[Value]) -> Sequence[Value | None]:
        model = self._around.models[step.call]
        fed = dict(zip(self._act.inputs, values))
        called = call(model, step.call, fed, self._name, self._around.compat, self._around.shapes)
        self._draft.library.main.nodes += called.nodes
        self._draft.weights |= called.weights
        self._draft.functions |= model.functions
        return called.outputs

    def _located(self, fault: Fault) -> Fault:
        step = self._act.step
        what = fault.what if isinstance(step, CallStep) else f"{_word(self._act)}: {fault.what}"
        return replace(fault, what=what, place=Place(("steps", self._number)))


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
