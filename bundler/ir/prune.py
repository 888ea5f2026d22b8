"""Which nodes and functions of a model its signatures need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node, attr, node_of
from bundler.ir.protos import AttrValue
from bundler.ir.tables import shared_names

__all__ = ["called", "function_names", "functions_called", "prune", "reachable", "running"]


def prune(model: Model) -> Model:
    """The model without the nodes and functions that its signatures do not need.

    Raises ConversionError for a constant that is needed and whose weight is missing, or a resource that no node makes.
    """
    asked = [spec.tensor.node for signature in model.signatures.values() for spec in signature.specs]
    pruned = _needing(model, asked, ())
    initializers = tuple(_filling(pruned, model))
    if initializers:
        pruned = _needing(model, [*asked, *initializers], initializers)
    _check_sources(pruned)
    return pruned


def _needing(model: Model, names: Sequence[str], initializers: tuple[str, ...]) -> Model:
    """The model with only what these nodes need, functions included."""
    graph = _keep(model.graph, reachable(model.graph, names))
    return _library(replace(model, graph=graph, initializers=initializers))


def _filling(running: Model, model: Model) -> Iterator[str]:
    """The initializers that read a table which the running model uses, by its shared name."""
    if model.initializers:
        used = {name for graph in running.graphs for name in shared_names(graph.nodes)}
        tables = [node.name for node in model.graph.nodes if not used.isdisjoint(shared_names([node]))]
        readers = _readers(model.graph, tables)
        yield from (name for name in model.initializers if name in readers)


def _readers(graph: Graph, names: Iterable[str]) -> set[str]:
    """The names of the nodes that depend on any of these, themselves included."""
    found, pending = set[str](), list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += [reader.name for reader in graph.consumers.get(name, ())]
    return found


def _library(model: Model) -> Model:
    """The model with only the functions that its graph calls, and those that these call."""
    if not model.functions:
        return model
    return replace(model, functions=functions_called(model.graph.nodes, model.functions))


def functions_called(nodes: Iterable[Node], functions: Mapping[str, Function]) -> dict[str, Function]:
    """The functions that nodes call, and those that these call, in the order of the library."""
    found = set[str]()
    pending = called(nodes) if functions else set()
    while pending:
        name = pending.pop()
        if name in functions and name not in found:
            found.add(name)
            pending |= called(functions[name].graph.nodes)
    return {name: function for name, function in functions.items() if name in found}


def reachable(graph: Graph, outputs: Iterable[str]) -> set[str]:
    """The names of the nodes that the outputs need, themselves included.

    Nearly all graphs have a node after those that it reads: one walk from the end, in the order of the memory, finds
    all. It has, if it entered every node that it found.
    """
    asked, entered = [*outputs], 0
    found = set(asked)
    for node in reversed(graph.nodes):
        if node.name in found:
            found.update(map(node_of, node.input))
            entered += 1
    return found if entered == len(found) else _reachable_in_any_order(graph, asked)


def _reachable_in_any_order(graph: Graph, outputs: Iterable[str]) -> set[str]:
    found, pending, nodes = set[str](), list(outputs), graph.by_name
    while pending:
        name = pending.pop()
        if name not in found and name in nodes:
            found.add(name)
            pending += map(node_of, nodes[name].input)
    return found


def _keep(graph: Graph, names: set[str]) -> Graph:
    if len(names) == len(graph.nodes):
        return graph
    weights = {name: weight for name, weight in graph.weights.items() if name in names}
    return Graph(tuple(node for node in graph.nodes if node.name in names), weights)


def running(model: Model) -> set[str]:
    """The names of the nodes that signatures need, and those that fill tables; of a model without signatures all."""
    asked = [spec.tensor.node for signature in model.signatures.values() for spec in signature.specs]
    if not asked:
        asked = [node.name for node in model.graph.nodes if node.op != "NoOp"]
    return reachable(model.graph, [*asked, *model.initializers])


def called(nodes: Iterable[Node]) -> set[str]:
    """The names of the functions, and of the ops, that nodes refer to, as their ops or in their attributes."""
    listed = list(nodes)
    named = {name for node in listed for value in node.attr.values() for name in function_names(value)}
    return named | {node.op for node in listed}


def function_names(value: AttrValue) -> Iterator[str]:
    """The functions that an attribute names, and those in the attributes of these."""
    kind = value.WhichOneof("value")
    for named in [value.func] if kind == "func" else value.list.func if kind == "list" else ():
        yield named.name
        for inner in named.attr.values():
            yield from function_names(inner)


def _check_sources(model: Model) -> None:
    for graph in model.graphs:
        for node in graph.of({"Const", "Placeholder"}):
            if node.op == "Const" and node.name not in graph.weights and not _has_value(node):
                raise ConversionError("the model holds no weight for this constant", where=f"node {node.name!r}")
            if node.op == "Placeholder" and attr(node, "dtype") == DType.resource:
                raise ConversionError("no node makes this resource", where=f"node {node.name!r}")


_TYPE_FIELDS = ("dtype", "tensor_shape", "version_number")


def _has_value(const: Node) -> bool:
    """Whether the node holds its value. The converter writes the dtype and shape of a weight without its content."""
    if "value" not in const.attr:
        return False
    tensor = const.attr["value"].tensor
    filled = [field.name for field, _ in tensor.ListFields() if field.name not in _TYPE_FIELDS]
    return bool(filled) or any(dim.size == 0 for dim in tensor.tensor_shape.dim)
