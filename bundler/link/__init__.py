"""Many models become one, as object files become an executable.

Every model gets its own scope: its name goes before the names of its nodes, functions, loop frames,
tables and tensor arrays, and before every attribute that refers to one. A weight that several models
hold is kept once.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from bundler import ops
from bundler.disk.shards import keeping_open
from bundler.errors import Fault, ManifestError
from bundler.ir.model import Function, Graph, Model, TensorSpec
from bundler.ir.nodes import Node, Tensor
from bundler.ir.protos import AttrValue, FunctionDef
from bundler.ir.weight import Weight

__all__ = ["join", "link", "scoped", "share_weights"]

_NAME_ATTRS = ("frame_name", "shared_name", "tensor_array_name")
"""String attributes by which TensorFlow tells things apart at run time, whatever graph they came from."""


def link(models: Mapping[str, Model]) -> Model:
    """One model from several, by the name that each is to have as its scope.

    Raises ManifestError when two models have a signature of the same key.
    """
    return join({name: scoped(model, name) for name, model in models.items()})


def join(models: Mapping[str, Model]) -> Model:
    """One model from several, by name, that are in their scopes already."""
    _check_keys(models)
    return share_weights(_join(list(models.values())))


def _check_keys(models: Mapping[str, Model]) -> None:
    owners: dict[str, list[str]] = {}
    for name, model in models.items():
        for key in model.signatures:
            owners.setdefault(key, []).append(name)
    faults = [
        Fault(f"two models have a signature {key!r}", found=" and ".join(names))
        for key, names in owners.items()
        if len(names) > 1
    ]
    if faults:
        raise ManifestError.of(faults)


def _join(parts: Sequence[Model]) -> Model:
    return Model(
        graph=Graph(
            nodes=tuple(node for part in parts for node in part.graph.nodes),
            weights={name: weight for part in parts for name, weight in part.graph.weights.items()},
        ),
        signatures={key: signature for part in parts for key, signature in part.signatures.items()},
        functions={name: function for part in parts for name, function in part.functions.items()},
        initializers=tuple(name for part in parts for name in part.initializers),
        producer=max(part.producer for part in parts),
    )


# Scopes ------------------------------------------------------------------------------------------


def scoped(model: Model, scope: str) -> Model:
    """The same model with `scope/` before every name that could meet another model's."""
    prefix = f"{scope}/"
    names = _Scope(prefix, model.functions)
    return replace(
        model,
        graph=names.graph(model.graph, prefix),
        functions={prefix + name: names.function(body) for name, body in model.functions.items()},
        initializers=tuple(prefix + name for name in model.initializers),
    ).map_signatures(lambda spec: replace(spec, tensor=_scope_tensor(spec.tensor, prefix)))


class _Scope:
    """`prefix` before the names of nodes, functions and run-time things, wherever they stand."""

    def __init__(self, prefix: str, functions: Container[str]) -> None:
        self._prefix = prefix
        self._functions = functions
        self._attrs: dict[int, Mapping[str, AttrValue]] = {}  # by identity: nodes share them

    def graph(self, graph: Graph, prefix: str) -> Graph:
        """A graph; `prefix` goes before the names of its nodes."""
        # One string for a name wherever it is read: between processes it travels once.
        names = {node.name: prefix + node.name for node in graph.nodes}
        return Graph(
            nodes=tuple([self._node(node, names, prefix) for node in graph.nodes]),
            weights={names[name]: weight for name, weight in graph.weights.items()},
        )

    def function(self, function: Function) -> Function:
        """A function under its new name. The nodes in its body have a name space of their own already."""
        definition = FunctionDef()
        definition.CopyFrom(function.definition)
        definition.signature.name = self._prefix + definition.signature.name
        return replace(function, definition=definition, graph=self.graph(function.graph, ""))

    def _node(self, node: Node, names: Mapping[str, str], prefix: str) -> Node:
        op, name, inputs, attrs = node
        scoped = self._attrs.get(id(attrs))
        if scoped is None:
            scoped = self._attrs[id(attrs)] = self._scoped_attrs(attrs)
        inputs = tuple([names.get(reference) or _scope_reference(reference, prefix) for reference in inputs])
        called = op in self._functions and op not in ops.table()
        return Node(self._prefix + op if called else op, names[name], inputs, scoped)

    def _scoped_attrs(self, attrs: Mapping[str, AttrValue]) -> Mapping[str, AttrValue]:
        scoped = {key: self._attr(key, value) for key, value in attrs.items()}
        return attrs if all(scoped[key] is value for key, value in attrs.items()) else scoped

    def _attr(self, key: str, value: AttrValue) -> AttrValue:
        if key in _NAME_ATTRS and value.s:
            return AttrValue(s=self._prefix.encode() + value.s)
        if not self._functions or not (value.HasField("func") or value.list.func):
            return value
        made = AttrValue()
        made.CopyFrom(value)
        for named in [made.func] if made.HasField("func") else made.list.func:
            if named.name in self._functions:
                named.name = self._prefix + named.name
            for inner_key in named.attr:
                named.attr[inner_key].CopyFrom(self._attr(inner_key, named.attr[inner_key]))
        return made


def _scope_reference(reference: str, prefix: str) -> str:
    return f"^{prefix}{reference[1:]}" if reference.startswith("^") else prefix + reference


def _scope_tensor(tensor: Tensor, prefix: str) -> Tensor:
    return tensor._replace(node=prefix + tensor.node)


# Shared weights ----------------------------------------------------------------------------------

_Named: TypeAlias = "list[tuple[str, Weight]]"


@keeping_open()
def share_weights(model: Model) -> Model:
    """Keep one of several equal weights of the main graph; the readers of the others read that one.

    A constant with control inputs belongs to a loop's frame and stays; so does one that callers may feed.
    """
    fed = {spec.tensor.node for signature in model.signatures.values() for spec in signature.inputs.values()}
    first = dict(_duplicates(model.graph, fed))
    if not first:
        return model
    # All that a reader can write, for a constant has one output: so most readers need but a look.
    spelled = {f"{name}:0": kept for name, kept in first.items()}
    spelled |= first | {f"^{name}": f"^{kept}" for name, kept in first.items()}
    graph = Graph(
        nodes=tuple([_reading(node, spelled) for node in model.graph.nodes if node.name not in first]),
        weights={name: weight for name, weight in model.graph.weights.items() if name not in first},
    )
    return replace(model, graph=graph).map_signatures(lambda spec: _pointing(spec, first))


def _duplicates(graph: Graph, fed: Container[str]) -> Iterator[tuple[str, str]]:
    """Pairs (name, name of the earlier equal weight).

    All bytes are read only where all that is known without reading agrees, and the first bytes do.
    """
    nodes = graph.by_name
    free = [(name, weight) for name, weight in graph.weights.items() if name not in fed and not nodes[name].input]
    for near in _groups(free, lambda weight: (weight.mark, weight.form)):
        for (first, _), *others in _groups(near, Weight.fingerprint):
            yield from ((name, first) for name, _ in others)


def _groups(weights: _Named, trait: Callable[[Weight], object]) -> list[_Named]:
    """Those weights that share a trait with others."""
    found: dict[object, _Named] = {}
    for named in weights:
        found.setdefault(trait(named[1]), []).append(named)
    return [alike for alike in found.values() if len(alike) > 1]


def _reading(node: Node, first: Mapping[str, str]) -> Node:
    if first.keys().isdisjoint(node.input):
        return node
    return node._replace(input=tuple([first.get(reference, reference) for reference in node.input]))


def _pointing(spec: TensorSpec, first: Mapping[str, str]) -> TensorSpec:
    tensor = spec.tensor
    return replace(spec, tensor=tensor._replace(node=first.get(tensor.node, tensor.node)))
