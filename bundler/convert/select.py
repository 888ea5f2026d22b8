"""The manifest's signatures, found in a model's graph.

The nodes that no signature needs are dropped before ops are checked: TensorFlow.js also runs models with ops that it
does not know, if no output needs them (`getExecutionSubgraph`, tfjs-converter/src/executor/model_analysis.ts).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property

from bundler import ops
from bundler.convert.naming import Named, listed
from bundler.errors import Fault, Place, closest
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Tensor, node_of, short_names
from bundler.ir.prune import prune
from bundler.manifest import SignatureSpec

__all__ = ["Selection", "select"]


@dataclass(frozen=True)
class Selection:
    """A model with the signatures of the manifest; or the model as it was, and what is wrong with them."""

    model: Model
    faults: tuple[Fault, ...] = ()


def select(model: Model, specs: Sequence[SignatureSpec]) -> Selection:
    """The model with the signatures of the manifest in place of its own, without the nodes that they do not need.

    Faults have their place in the model's table: `("signature", 0, "outputs", 1)`.
    """
    (own,) = model.signatures.values()
    asked = [_Question(spec, own, model.graph) for spec in specs]
    faults = [fault.under("signature", index) for index, ask in enumerate(asked) for fault in ask.faults]
    if faults:
        return Selection(model, tuple(faults))
    signatures = {ask.spec.key: ask.named.signature for ask in asked}
    notes = [note for ask in asked for note in ask.named.notes]
    return Selection(prune(replace(model, signatures=signatures)).noting(notes))


class _Question:
    """One signature of the manifest, asked of a model whose own signature is `own`."""

    def __init__(self, spec: SignatureSpec, own: Signature, graph: Graph) -> None:
        self.spec = spec
        self._own = own
        self._graph = graph

    @property
    def faults(self) -> Iterator[Fault]:
        """Everything that is wrong, by its place in the signature. Names are looked at if all tensors are there."""
        missing = [*self._missing("outputs"), *self._missing("inputs")]
        if missing:
            yield from missing
        elif not self._outputs:
            yield Fault("the model has no outputs of its own", place=Place(("outputs",)))
        else:
            yield from self._unfed()
            yield from self.named.faults

    @cached_property
    def named(self) -> Named:
        """The tensors with their names."""
        return Named(self.spec, self._inputs, self._outputs)

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

    def _missing(self, side: str) -> Iterator[Fault]:
        own: Mapping[str, TensorSpec] = getattr(self._own, side)
        for index, name in enumerate(getattr(self.spec, side) or ()):
            if self._find(name, own) is None:
                near = closest(name, [*own, *self._graph.by_name])
                hint = near or f"its own {side} are {listed(own)}"
                place = Place((side, index))
                yield Fault("the model has no such tensor", found=repr(name), hint=hint, place=place)

    def _needed_inputs(self) -> Iterator[tuple[str, TensorSpec]]:
        """The model's own inputs that the outputs need, then Placeholders that its signature does not name."""
        own = {spec.tensor for spec in self._own.inputs.values()}
        needed = self._needed(fed=own)
        yield from ((key, spec) for key, spec in self._own.inputs.items() if spec.tensor in needed)
        for name in _names(needed - own):
            yield name, TensorSpec(Tensor(name), ops.output_dtype(self._graph.by_name[name], 0))

    def _unfed(self) -> Iterator[Fault]:
        """A fault if the manifest names the inputs itself, and the outputs need more of them."""
        if self.spec.inputs is None:
            return
        fed = {spec.tensor for spec in self._inputs.values()}
        unfed = _names(self._needed(fed) - fed)
        if unfed:
            found, expected = listed(self._inputs), listed(unfed)
            yield Fault("the outputs need more inputs", found=found, expected=expected, place=Place(("inputs",)))

    def _needed(self, fed: Set[Tensor]) -> set[Tensor]:
        return _sources(self._graph, [spec.tensor for spec in self._outputs.values()], fed)


def _names(tensors: Iterable[Tensor]) -> list[str]:
    return sorted({tensor.node for tensor in tensors})


def _sources(graph: Graph, outputs: Iterable[Tensor], fed: Set[Tensor]) -> set[Tensor]:
    """The fed tensors and those of Placeholders that the outputs need; a tensor that is fed needs no others.

    A control edge from a Placeholder counts as a data edge.
    """
    found, entered, pending = set[Tensor](), set[str](), list(map(str, outputs))
    fed_nodes = {tensor.node for tensor in fed}
    while pending:
        reference = pending.pop()
        name = node_of(reference)
        if name in fed_nodes and (tensor := Tensor.parse(reference)) in fed:
            found.add(tensor)
        elif name not in entered and name in graph.by_name:
            entered.add(name)
            node = graph.by_name[name]
            found |= {Tensor(name)} if node.op == "Placeholder" else set()
            pending += node.input
    return found
