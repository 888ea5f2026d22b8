"""Many models become one, as object files become an executable.

Every model gets its own scope: its name goes before the names of its nodes, functions, loop frames,
tables and tensor arrays, and before every attribute that refers to one. A weight that several models
hold is kept once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace

from bundler.errors import Fault, ManifestError
from bundler.model import Function, Graph, Model, TensorSpec
from bundler.nodes import Tensor
from bundler.protos import AttrValue, FunctionDef, NodeDef
from bundler.weight import Weight

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
    return replace(
        model,
        graph=_scope_graph(model.graph, prefix, model.functions, within_function=False),
        functions={
            prefix + name: _scope_function(body, prefix, model.functions) for name, body in model.functions.items()
        },
        initializers=tuple(prefix + name for name in model.initializers),
    ).map_signatures(lambda spec: replace(spec, tensor=_scope_tensor(spec.tensor, prefix)))


def _scope_function(function: Function, prefix: str, functions: Mapping[str, Function]) -> Function:
    """A function under its new name. The nodes in its body have a name space of their own already."""
    definition = FunctionDef()
    definition.CopyFrom(function.definition)
    definition.signature.name = prefix + definition.signature.name
    return replace(
        function,
        definition=definition,
        graph=_scope_graph(function.graph, prefix, functions, within_function=True),
    )


def _scope_graph(graph: Graph, prefix: str, functions: Mapping[str, Function], *, within_function: bool) -> Graph:
    names = "" if within_function else prefix
    return Graph(
        nodes=tuple(_scope_node(node, names, prefix, functions) for node in graph.nodes),
        weights={names + name: weight for name, weight in graph.weights.items()},
    )


def _scope_node(node: NodeDef, names: str, prefix: str, functions: Mapping[str, Function]) -> NodeDef:
    """`names` goes before the names of nodes, `prefix` before those of functions and run-time things."""
    made = NodeDef()
    made.CopyFrom(node)
    made.name = names + node.name
    made.input[:] = [f"^{names}{name[1:]}" if name.startswith("^") else names + name for name in node.input]
    if node.op in functions:
        made.op = prefix + node.op
    for key in made.attr if functions else _NAME_ATTRS:
        if key in made.attr:
            _scope_attr(key, made.attr[key], prefix, functions)
    return made


def _scope_attr(key: str, value: AttrValue, prefix: str, functions: Mapping[str, Function]) -> None:
    if key in _NAME_ATTRS and value.s:
        value.s = prefix.encode() + value.s
    for named in [value.func] if value.HasField("func") else value.list.func:
        if named.name in functions:
            named.name = prefix + named.name
        for inner_key in named.attr:
            _scope_attr(inner_key, named.attr[inner_key], prefix, functions)


def _scope_tensor(tensor: Tensor, prefix: str) -> Tensor:
    return tensor._replace(node=prefix + tensor.node)


# Shared weights ----------------------------------------------------------------------------------


def share_weights(model: Model) -> Model:
    """Keep one of several equal weights of the main graph; the readers of the others read that one.

    A constant with control inputs belongs to a loop's frame and stays; so does one that callers may feed.
    """
    fed = {spec.tensor.node for signature in model.signatures.values() for spec in signature.inputs.values()}
    first = dict(_duplicates(model.graph, fed))
    if not first:
        return model
    graph = Graph(
        nodes=tuple(_reading(node, first) for node in model.graph.nodes if node.name not in first),
        weights={name: weight for name, weight in model.graph.weights.items() if name not in first},
    )
    return replace(model, graph=graph).map_signatures(lambda spec: _pointing(spec, first))


def _duplicates(graph: Graph, fed: Container[str]) -> Iterator[tuple[str, str]]:
    """Pairs (name, name of the earlier equal weight).

    Bytes are read only where all that is known without reading agrees, and most of them only where the first do.
    """
    free = {name: weight for name, weight in graph.weights.items() if name not in fed and not graph.by_name[name].input}
    for alike in _groups(free, lambda weight: weight.form):
        for near in _groups({name: free[name] for name in alike}, Weight.head):
            for first, *others in _groups({name: free[name] for name in near}, _fingerprint):
                yield from ((name, first) for name in others)


def _groups(weights: Mapping[str, Weight], trait: Callable[[Weight], object]) -> list[list[str]]:
    """The names of weights that share a trait, where there are several."""
    found: dict[object, list[str]] = {}
    for name, weight in weights.items():
        found.setdefault(trait(weight), []).append(name)
    return [names for names in found.values() if len(names) > 1]


def _fingerprint(weight: Weight) -> bytes:
    hasher = hashlib.blake2b()
    for chunk in weight.stored_chunks():
        hasher.update(chunk)
    return hasher.digest()


def _reading(node: NodeDef, first: Mapping[str, str]) -> NodeDef:
    tensors = [Tensor.parse(reference) for reference in node.input]
    if not any(tensor.node in first for tensor in tensors):
        return node
    made = NodeDef()
    made.CopyFrom(node)
    made.input[:] = [str(tensor._replace(node=first.get(tensor.node, tensor.node))) for tensor in tensors]
    return made


def _pointing(spec: TensorSpec, first: Mapping[str, str]) -> TensorSpec:
    tensor = spec.tensor
    return replace(spec, tensor=tensor._replace(node=first.get(tensor.node, tensor.node)))
