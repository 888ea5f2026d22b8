"""The manifest's signatures, found in a model's graph.

The nodes that no signature needs are dropped before ops are checked. TensorFlow.js does the same: it runs models whose
unneeded ops it does not know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count

from bundler import ops
from bundler.convert.arguments import Unusable, unusable, usable
from bundler.errors import Fault, Place, closest
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Tensor, short_names
from bundler.ir.prune import prune
from bundler.manifest import SignatureSpec
from bundler.serving.methods import method_faults

__all__ = ["Selection", "keys_by_name", "select"]


@dataclass(frozen=True)
class Selection:
    """A model with the signatures that were asked for, and what is wrong with the question."""

    model: Model
    faults: tuple[Fault, ...] = ()


def select(model: Model, specs: Sequence[SignatureSpec]) -> Selection:
    """Give a model the signatures of the manifest in place of its own, and drop what they do not need.

    Faults have their place in the model's table: `("signature", 0, "outputs", 1)`.
    """
    (own,) = model.signatures.values()
    asked = [_Question(spec, own, model.graph) for spec in specs]
    faults = [fault.under("signature", index) for index, ask in enumerate(asked) for fault in ask.faults]
    if faults:
        return Selection(model, tuple(faults))
    signatures = {ask.spec.key: ask.signature for ask in asked}
    notes = [note for ask in asked for note in ask.notes]
    return Selection(prune(replace(model, signatures=signatures)).noting(notes))


class _Question:
    """One signature of the manifest, put to a graph."""

    def __init__(self, spec: SignatureSpec, own: Signature, graph: Graph) -> None:
        self.spec = spec
        self._own = own
        self._graph = graph

    @property
    def signature(self) -> Signature:
        inputs = self._renamed(self._inputs)
        changed = {key: found.proposed for key, found in self._keys_that_change.items()}
        inputs = {changed.get(key, key): spec for key, spec in inputs.items()}
        return Signature(inputs, self._renamed(self._outputs), self.spec.method_name)

    @property
    def notes(self) -> Iterator[str]:
        """The model's own input keys that had to change."""
        for key, changed in self._keys_that_change.items():
            yield f"input {key!r} of signature {self.spec.key!r} is named {changed.proposed!r}: {changed.why}"

    @property
    def faults(self) -> Iterator[Fault]:
        """Everything that is wrong, by its place in the signature."""
        found = [*self._missing("outputs"), *self._missing("inputs")]
        if not found and not self._outputs:
            found = [Fault("the model has no outputs of its own", place=Place(("outputs",)))]
        yield from found
        if not found:
            yield from self._unfed()
            yield from self._bad_renames()
            yield from self._unusable_keys()
            yield from (fault.under("method_name") for fault in method_faults(self.signature))

    @cached_property
    def _outputs(self) -> dict[str, TensorSpec]:
        return self._chosen(self.spec.outputs, self._own.outputs)

    @cached_property
    def _inputs(self) -> dict[str, TensorSpec]:
        if self.spec.inputs is None:
            return dict(self._needed_inputs())
        return self._chosen(self.spec.inputs, self._own.inputs)

    def _chosen(self, names: Sequence[str] | None, own: Mapping[str, TensorSpec]) -> dict[str, TensorSpec]:
        if names is None:
            return dict(own)
        return short_names({name: spec for name in names if (spec := self._find(name, own))})

    def _find(self, name: str, own: Mapping[str, TensorSpec]) -> TensorSpec | None:
        """The tensor behind one of the model's own keys, or behind `n` or `n:1`; None if there is none."""
        if name in own:
            return own[name]
        tensor = Tensor.parse(name)
        node = self._graph.by_name.get(tensor.node)
        if node is None or not ops.has_port(node, tensor.port):
            return None
        known = next((spec for spec in self._own.specs if spec.tensor == tensor), None)
        return known or TensorSpec(tensor, ops.output_dtype(node, tensor.port))

    def _needed_inputs(self) -> Iterator[tuple[str, TensorSpec]]:
        """The model's own inputs that the outputs need, then Placeholders that its signature does not name."""
        own = {spec.tensor for spec in self._own.inputs.values()}
        needed = _reached(self._graph, self._asked, fed=own)
        yield from ((key, spec) for key, spec in self._own.inputs.items() if spec.tensor in needed)
        for name in self._placeholders(needed - own):
            yield name, TensorSpec(Tensor(name), ops.output_dtype(self._graph.by_name[name], 0))

    @property
    def _asked(self) -> list[Tensor]:
        return [spec.tensor for spec in self._outputs.values()]

    def _placeholders(self, tensors: Iterable[Tensor]) -> list[str]:
        return sorted({name for name, _ in tensors if self._graph.by_name[name].op == "Placeholder"})

    def _missing(self, side: str) -> Iterator[Fault]:
        own: Mapping[str, TensorSpec] = getattr(self._own, side)
        for index, name in enumerate(getattr(self.spec, side) or ()):
            if self._find(name, own) is None:
                near = closest(name, [*own, *self._graph.by_name])
                hint = near or f"its own {side} are {_list(own)}"
                place = Place((side, index))
                yield Fault("the model has no such tensor", found=repr(name), hint=hint, place=place)

    def _unfed(self) -> Iterator[Fault]:
        """Placeholders that the outputs need, where the manifest names the inputs itself."""
        if self.spec.inputs is None:
            return
        fed = {spec.tensor for spec in self._inputs.values()}
        unfed = self._placeholders(_reached(self._graph, self._asked, fed) - fed)
        if unfed:
            found, expected = _list(self._inputs), _list(unfed)
            yield Fault("the outputs need more inputs", found=found, expected=expected, place=Place(("inputs",)))

    def _bad_renames(self) -> Iterator[Fault]:
        keys = {**keys_by_name(self._inputs), **keys_by_name(self._outputs)}
        for name in self.spec.rename:
            if name not in keys:
                hint = closest(name, keys) or f"it has {_list({*self._inputs, *self._outputs})}"
                place = Place(("rename", name))
                yield Fault("no input or output of this signature has that name", hint=hint, place=place)
        for side in (self._inputs, self._outputs):
            yield from self._doubled_names(side)

    def _doubled_names(self, side: Mapping[str, TensorSpec]) -> Iterator[Fault]:
        keys = keys_by_name(side)
        renamed = Counter(keys[name] for name in self.spec.rename if name in keys)
        twice = [f"{key!r} is renamed twice" for key, count in renamed.items() if count > 1]
        public = Counter(self._public_names(side).values())
        doubled = sorted(name for name, count in public.items() if count > 1)
        twice += [f"two tensors would be called {name!r}" for name in doubled]
        yield from (Fault(what, place=Place(("rename",))) for what in twice)

    def _renamed(self, side: Mapping[str, TensorSpec]) -> dict[str, TensorSpec]:
        public = self._public_names(side)
        return {public[key]: spec for key, spec in side.items()}

    def _unusable_keys(self) -> Iterator[Fault]:
        """Input keys of the manifest that callers in Python cannot use."""
        for key, why, proposed in unusable(self._chosen_keys):
            what = f"{key!r} cannot be the name of an input: {why}"
            yield Fault(what, hint=f"choose another, such as {proposed!r}", place=self._chosen_keys[key])

    @cached_property
    def _keys_that_change(self) -> Mapping[str, Unusable]:
        """The model's own keys that callers in Python cannot use."""
        names = self._public_names(self._inputs).values()
        return usable((name for name in names if name not in self._chosen_keys), self._chosen_keys)

    @cached_property
    def _chosen_keys(self) -> Mapping[str, Place]:
        """The names of inputs that the manifest has chosen, and their places."""
        by_name = keys_by_name(self._inputs)
        renamed = {new: Place(("rename", old)) for old, new in self.spec.rename.items() if old in by_name}
        listed = zip(self._inputs, count()) if self.spec.inputs is not None else ()
        public = self._public_names(self._inputs)
        return {public[key]: Place(("inputs", index)) for key, index in listed} | renamed

    def _public_names(self, side: Mapping[str, TensorSpec]) -> dict[str, str]:
        keys = keys_by_name(side)
        renamed = {keys[old]: new for old, new in self.spec.rename.items() if old in keys}
        return {key: renamed.get(key, key) for key in side}


def keys_by_name(side: Mapping[str, TensorSpec]) -> dict[str, str]:
    """Every name by which a user may mean an entry: its tensor, with and without `:0`, and before that its key."""
    tensors = {name: key for key, spec in side.items() for name in (str(spec.tensor), spec.tensor.full)}
    return tensors | {f"{key}:0": key for key in side} | {key: key for key in side}


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _reached(graph: Graph, outputs: Iterable[Tensor], fed: Container[Tensor]) -> set[Tensor]:
    """The tensors that the outputs need, themselves included; nothing is needed for one that is fed.

    To wait for a Placeholder is to need its value.
    """
    found, pending, inputs = set[Tensor](), list(outputs), graph.inputs
    entered = set[str]()
    while pending:
        tensor = pending.pop()
        if tensor.is_control and graph.by_name[tensor.node].op == "Placeholder":
            tensor = Tensor(tensor.node)
        if tensor in found or tensor.node not in inputs:
            continue
        found.add(tensor)
        if tensor not in fed and tensor.node not in entered:
            entered.add(tensor.node)
            pending += inputs[tensor.node]
    return found
