"""What callers may ask of a model: the manifest's signatures, found in its graph.

Only then is it known which nodes are needed: the rest goes, before anyone asks whether its ops can be
imported. TensorFlow.js does the same, and runs models whose unneeded ops it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bundler import ops
from bundler.dtypes import DType
from bundler.errors import ConversionError, Fault, closest
from bundler.manifest import SignatureSpec
from bundler.model import Function, Graph, Model, Signature, TensorSpec
from bundler.nodes import Tensor, attr
from bundler.protos import AttrValue, NodeDef
from bundler.serving import method_faults
from bundler.tables import shared_names

__all__ = ["Selection", "prune", "reachable", "select"]


@dataclass(frozen=True)
class Selection:
    """A model with the signatures that were asked for, and what is wrong with the question."""

    model: Model
    faults: tuple[Fault, ...] = ()


def select(model: Model, specs: Sequence[SignatureSpec]) -> Selection:
    """Give a model the signatures of the manifest in place of its own, and drop what they do not need.

    Faults are told by their place under the model: `signature[0].outputs[1]`.
    """
    (own,) = model.signatures.values()
    asked = [_Question(spec, own, model.graph) for spec in specs]
    faults = [fault.under(f"signature[{index}]") for index, ask in enumerate(asked) for fault in ask.faults]
    if faults:
        return Selection(model, tuple(faults))
    signatures = {ask.spec.key: ask.signature for ask in asked}
    return Selection(prune(replace(model, signatures=signatures)))


class _Question:
    """One signature of the manifest, put to a graph."""

    def __init__(self, spec: SignatureSpec, own: Signature, graph: Graph) -> None:
        self.spec = spec
        self._own = own
        self._graph = graph

    @property
    def signature(self) -> Signature:
        return Signature(self._renamed(self._inputs), self._renamed(self._outputs), self.spec.method_name)

    @property
    def faults(self) -> Iterator[Fault]:
        """Everything that is wrong, by its place in the signature."""
        found = [*self._missing("outputs"), *self._missing("inputs")]
        yield from found
        if not found:
            yield from self._unfed()
            yield from self._bad_renames()
            yield from (fault.under("method_name") for fault in method_faults(self.signature))

    @cached_property
    def _outputs(self) -> dict[str, TensorSpec]:
        if self.spec.outputs is None:
            return dict(self._own.outputs)
        return {_public(name): spec for name in self.spec.outputs if (spec := self._find(name, self._own.outputs))}

    @cached_property
    def _inputs(self) -> dict[str, TensorSpec]:
        if self.spec.inputs is None:
            return dict(self._needed_placeholders())
        return {_public(name): spec for name in self.spec.inputs if (spec := self._find(name, self._own.inputs))}

    def _find(self, name: str, own: Mapping[str, TensorSpec]) -> TensorSpec | None:
        """The tensor behind one of the model's own keys, or behind `n` or `n:1`; None if there is none."""
        if name in own:
            return own[name]
        tensor = Tensor.parse(name)
        node = self._graph.by_name.get(tensor.node)
        if node is None or tensor.is_control or not _has_port(node, tensor.port):
            return None
        known = next((spec for spec in self._own.specs if spec.tensor == tensor), None)
        return known or TensorSpec(tensor, ops.output_dtype(node, tensor.port))

    def _needed_placeholders(self) -> Iterator[tuple[str, TensorSpec]]:
        """The model's own inputs that the outputs need, then Placeholders that its signature does not name."""
        needed = reachable(self._graph, (spec.tensor.node for spec in self._outputs.values()))
        named = {spec.tensor.node for spec in self._own.inputs.values()}
        yield from ((key, spec) for key, spec in self._own.inputs.items() if spec.tensor.node in needed)
        for node in self._graph.nodes:
            if node.op == "Placeholder" and node.name in needed and node.name not in named:
                yield node.name, TensorSpec(Tensor(node.name), ops.output_dtype(node, 0))

    def _missing(self, side: str) -> Iterator[Fault]:
        own: Mapping[str, TensorSpec] = getattr(self._own, side)
        for index, name in enumerate(getattr(self.spec, side) or ()):
            if self._find(name, own) is None:
                near = closest(name, [*own, *self._graph.by_name])
                hint = near or f"its own {side} are {', '.join(sorted(own))}"
                yield Fault("the model has no such tensor", f"{side}[{index}]", found=repr(name), hint=hint)

    def _unfed(self) -> Iterator[Fault]:
        """Placeholders that the outputs need, where the manifest names the inputs itself."""
        fed = {spec.tensor.node for spec in self._inputs.values()}
        needed = reachable(self._graph, (spec.tensor.node for spec in self._outputs.values()), until=fed)
        unfed = sorted(name for name in needed - fed if self._graph.by_name[name].op == "Placeholder")
        if unfed:
            yield Fault("the outputs need more inputs", "inputs", found=_list(self._inputs), expected=_list(unfed))

    def _bad_renames(self) -> Iterator[Fault]:
        names = {**self._spellings(self._inputs), **self._spellings(self._outputs)}
        for name in self.spec.rename:
            if name not in names:
                hint = closest(name, names) or f"it has {_list({*self._inputs, *self._outputs})}"
                yield Fault("no input or output of this signature has that name", f"rename[{name!r}]", hint=hint)
        for side in (self._inputs, self._outputs):
            public = [self._public_name(key, spec) for key, spec in side.items()]
            for name in sorted({name for name in public if public.count(name) > 1}):
                yield Fault(f"two tensors would be called {name!r}", "rename")

    def _renamed(self, side: Mapping[str, TensorSpec]) -> dict[str, TensorSpec]:
        return {self._public_name(key, spec): spec for key, spec in side.items()}

    def _public_name(self, key: str, spec: TensorSpec) -> str:
        rename = self.spec.rename
        return next((rename[name] for name in self._spellings({key: spec}) if name in rename), key)

    @staticmethod
    def _spellings(side: Mapping[str, TensorSpec]) -> dict[str, TensorSpec]:
        """Every name by which a user may mean an entry: its key, and its tensor with and without `:0`."""
        return {
            name: spec for key, spec in side.items() for name in (key, f"{key}:0", str(spec.tensor), spec.tensor.full)
        }


def _public(name: str) -> str:
    return name.removesuffix(":0")


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _has_port(node: NodeDef, port: int) -> bool:
    """Whether a node gives that output, as far as the table tells."""
    op = ops.table().get(node.op)
    return op is None or port < sum(len(output.dtypes(node)) for output in op.outputs)


# Pruning -----------------------------------------------------------------------------------------


def prune(model: Model) -> Model:
    """The model without the nodes and functions that its signatures do not need.

    Raises ConversionError for a constant that is needed and whose weight is missing, or a table that nothing makes.
    """
    asked = [spec.tensor.node for signature in model.signatures.values() for spec in signature.specs]
    running = _library(replace(model, graph=_keep(model.graph, reachable(model.graph, asked))))
    initializers = tuple(name for name in model.initializers if _fills_table_of(running, model.graph, name))
    graph = _keep(model.graph, reachable(model.graph, [*asked, *initializers]))
    pruned = _library(replace(model, graph=graph, initializers=initializers))
    _check_sources(pruned)
    return pruned


def _fills_table_of(running: Model, graph: Graph, initializer: str) -> bool:
    """Whether a node fills a table that a running model uses."""
    used = {name for graph in running.graphs for name in shared_names(graph.nodes)}
    return not used.isdisjoint(shared_names(_keep(graph, reachable(graph, [initializer])).nodes))


def _library(model: Model) -> Model:
    """The model with no other functions than those that its graph calls, and these in turn."""
    functions: dict[str, Function] = {}
    pending = _called(model.graph)
    while pending:
        name = pending.pop()
        function = model.functions.get(name)
        if function is not None and name not in functions:
            functions[name] = function
            pending |= _called(function.graph)
    return replace(model, functions={name: model.functions[name] for name in model.functions if name in functions})


def reachable(graph: Graph, outputs: Iterable[str], until: Iterable[str] = ()) -> set[str]:
    """The names of the nodes that the outputs need, themselves included; `until` are fed from outside."""
    fed, found, pending = set(until), set[str](), list(outputs)
    while pending:
        name = pending.pop()
        if name in found or name not in graph.by_name:
            continue
        found.add(name)
        if name not in fed:
            pending += [Tensor.parse(reference).node for reference in graph.by_name[name].input]
    return found


def _keep(graph: Graph, names: set[str]) -> Graph:
    weights = {name: weight for name, weight in graph.weights.items() if name in names}
    return Graph(tuple(node for node in graph.nodes if node.name in names), weights)


def _called(graph: Graph) -> set[str]:
    """The functions that the nodes name in their attributes."""
    return {name for node in graph.nodes for value in node.attr.values() for name in _function_names(value)}


def _function_names(value: AttrValue) -> Iterator[str]:
    for named in [value.func] if value.HasField("func") else value.list.func:
        yield named.name
        for inner in named.attr.values():
            yield from _function_names(inner)


def _check_sources(model: Model) -> None:
    for graph in model.graphs:
        for node in graph.nodes:
            if node.op == "Const" and node.name not in graph.weights and not _has_value(node):
                raise ConversionError("the model holds no weight for this constant", where=f"node {node.name!r}")
            if node.op == "Placeholder" and attr(node, "dtype") == DType.resource:
                raise ConversionError("the model does not say what makes this resource", where=f"node {node.name!r}")


def _has_value(const: NodeDef) -> bool:
    """Whether the value stands in the node itself (the converter writes dtype and shape and no content)."""
    if "value" not in const.attr:
        return False
    tensor = const.attr["value"].tensor
    filled = [field.name for field, _ in tensor.ListFields() if field.name not in ("dtype", "tensor_shape")]
    return bool(filled) or any(dim.size == 0 for dim in tensor.tensor_shape.dim)
