"""Composed signatures: what is around models in JavaScript, and models in a row, inside the graph.

    plan ──────────► write ────────────────────► link
    names             steps, calls, maps: Model   as any other model

A composed signature becomes one more model, made from converted ones that are in their scopes already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from bundler.compose.names import INPUTS, Ref
from bundler.compose.order import Circle, called, in_order
from bundler.compose.plan import Interface, Plan, plan
from bundler.compose.write import Around, Line, plain, written
from bundler.errors import Fault, ManifestError, Place
from bundler.ir.dtypes import DType
from bundler.ir.fresh import FreshNames
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Shape
from bundler.ir.tables import TABLES
from bundler.link.infer import shapes
from bundler.manifest import Compat, Manifest
from bundler.manifest.steps import CallStep, ComposedSpec, MapStep, OpStep
from bundler.runtimes.tensorflow import Runtime

__all__ = ["Composed", "Line", "compose"]


class Composed(NamedTuple):
    """A composed signature: its scope, the model that it became, the names of the models in it, and its steps."""

    scope: str
    model: Model
    owners: tuple[str, ...]
    lines: tuple[Line, ...]
    plan: Plan

    @property
    def signature(self) -> Signature:
        """The signature."""
        (signature,) = self.model.signatures.values()
        return signature

    def spec(self, ref: Ref) -> TensorSpec:
        """The tensor in the bundle that a reference of the plan means."""
        if ref.step == INPUTS:
            return [*self.signature.inputs.values()][ref.at]
        _, spec = self.lines[ref.step].tensors[ref.at]
        return spec


def compose(manifest: Manifest, models: Mapping[str, Model], runtime: Runtime) -> dict[str, Composed]:
    """The composed signatures of a manifest by key, from its models by name, whose signatures are complete.

    Raises ManifestError with all that does not fit.
    """
    if not manifest.composed:
        return {}
    composer = _Composer(manifest, models, runtime)
    faults = [*composer.plan_faults(), *_lacking(manifest)]
    try:
        order = in_order(manifest.composed)
    except Circle as circle:
        faults += circle.faults
        order = []
    for index in order:
        faults += composer.compose(index)
    if faults:
        raise ManifestError.of(sorted(map(manifest.located, faults), key=lambda fault: fault.place.line))
    return {spec.key: _without_tables(composer.made[spec.key]) for spec in manifest.composed}


def _without_tables(composed: Composed) -> Composed:
    """The same, to be linked with the models that have its tables."""
    graph = composed.model.graph
    own = tuple(node for node in graph.nodes if node.op not in TABLES)
    return composed._replace(model=replace(composed.model, graph=Graph(own, graph.weights)))


class _Composer:
    """Composed signatures become models, those that others call first. `made` has them by key."""

    def __init__(self, manifest: Manifest, models: Mapping[str, Model], runtime: Runtime) -> None:
        self.made: dict[str, Composed] = {}
        self._manifest = manifest
        self._runtime = runtime
        self._models = {key: model for model in models.values() for key in model.signatures}
        self._owners: dict[str, tuple[str, ...]] = {
            key: (name,) for name, model in models.items() for key in model.signatures
        }
        self._plans = self._planned(manifest.composed)
        nodes = (node.name for model in models.values() for node in model.graph.nodes)
        self._scopes = FreshNames({name.partition("/")[0] for name in nodes})
        self._functions = FreshNames(name for model in models.values() for name in model.functions)

    def _planned(self, composed: Sequence[ComposedSpec]) -> list[Plan]:
        known = {key: Interface.of(model.signatures[key]) for key, model in self._models.items()}
        known |= {spec.key: Interface(tuple(spec.inputs), spec.outputs) for spec in composed}
        return [plan(spec, known) for spec in composed]

    def plan_faults(self) -> Iterator[Fault]:
        """What is wrong with names."""
        for index, made in enumerate(self._plans):
            yield from (fault.under("signature", index) for fault in made.faults)

    def compose(self, index: int) -> Sequence[Fault]:
        """Make a model of one signature, unless its names, or a signature that it calls, have faults."""
        spec, made = self._manifest.composed[index], self._plans[index]
        keys = [key for _, key in called(spec)]
        if made.faults or not self._models.keys() >= set(keys):
            return ()
        scope = self._scopes(plain(spec.key))
        around = Around(self._models, scope, self._manifest.bundle.compat, self._functions, self._shapes)
        try:
            model, lines = written(spec, made, around)
        except ManifestError as error:
            return [fault.under("signature", index) for fault in error.faults]
        owners = tuple(dict.fromkeys(name for key in keys for name in self._owners[key]))
        self._models[spec.key], self._owners[spec.key] = model, owners
        self.made[spec.key] = Composed(scope, model, owners, lines, made)
        return ()

    def _shapes(self, graph_def: bytes, tensors: Sequence[str]) -> Sequence[tuple[DType, Shape | None]]:
        return shapes(graph_def, tensors, self._runtime)


# Runtimes that lack ops ---------------------------------------------------------------------------

_LACKING: Mapping[Compat, frozenset[str]] = {
    Compat.TFLITE: frozenset({"crop_and_resize", "decode_image", "parse_example", "transform"}),
    Compat.TFJS: frozenset({"decode_image", "labels", "parse_example"}),
}


def _lacking(manifest: Manifest) -> Iterator[Fault]:
    """Steps that the runtime of `compat` cannot run."""
    lacking = _LACKING.get(manifest.bundle.compat, frozenset())
    for index, spec in enumerate(manifest.composed):
        used = list(dict.fromkeys(step.op for step in _ops(spec) if step.op in lacking))
        if used:
            what = f'compat = "{manifest.bundle.compat.value}" has no {", ".join(used)}'
            hint = "take the image as float32[1, ?, ?, 3]" if "decode_image" in used else ""
            yield Fault(what, hint=hint, place=Place(("signature", index)))


def _ops(spec: ComposedSpec) -> Iterator[OpStep]:
    for step in spec.steps:
        if isinstance(step, MapStep):
            yield from step.map
        elif not isinstance(step, CallStep):
            yield step
