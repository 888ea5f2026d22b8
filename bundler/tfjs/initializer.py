"""`modelInitializer` of a model.json: the graph that fills the hash tables, once, after loading.

TensorFlow.js runs it as a graph of its own, and passes its tables to the main graph. In files of TensorFlow 2 models
(those with an `initializerSignature`) a Placeholder receives the table, and an output of the initializer has the same
`resourceId`. In older files both graphs have the table, under one name. See `setResourceIdToCapturedInput` in
tfjs-converter/src/executor/graph_model.ts, and resource_manager.ts.

Here both graphs become one, in which a table is one node, under its name in the main graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from bundler import ops
from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node, Tensor, free_name
from bundler.ir.renames import named, with_calls
from bundler.ir.tables import FILLS, TABLES, with_own_names
from bundler.ir.weight import Weight
from bundler.tfjs import fields
from bundler.tfjs.fields import Json
from bundler.tfjs.topology import read_functions, read_graph

__all__ = ["join_initializer"]

_Functions: TypeAlias = "dict[str, Function]"


def join_initializer(model: Model, document: Json, weights: Mapping[str, Weight]) -> Model:
    """The model and its initializer in one; the nodes that fill a table become `Model.initializers`.

    The signatures lose the inputs that received tables.
    """
    topology = fields.loose(document, "modelInitializer")
    initializer, functions = _read(topology, weights, model.functions)
    shared = {**_by_name(model.graph, initializer), **_by_id(model.graph, document, initializer)}
    whole = replace(model, functions={**model.functions, **functions})
    return with_own_names(_joined(whole, initializer, shared) if initializer.nodes else whole)


def _read(topology: Json, weights: Mapping[str, Weight], taken: Mapping[str, Function]) -> tuple[Graph, _Functions]:
    """The initializer's graph, and its functions under names of their own.

    The converter optimizes the two graphs apart: functions of one name may differ. TensorFlow.js keeps two libraries.
    """
    graph, functions = read_graph(topology, weights), read_functions(topology, weights)
    if all(functions[name] == taken[name] for name in functions.keys() & taken.keys()):
        return graph, functions
    scope = _free_scope([*taken, *functions])
    names = {name: f"{scope}{name}" for name in functions}
    return with_calls(graph, names), {names[name]: named(function, names) for name, function in functions.items()}


# What the graphs share, by its name in the main graph: the initializer's node ------------------------


def _by_name(graph: Graph, initializer: Graph) -> dict[str, str]:
    return {node.name: node.name for node in graph.of(TABLES) if _is_table(initializer, node.name)}


def _by_id(graph: Graph, document: Json, initializer: Graph) -> dict[str, str]:
    outputs = dict(_resources(fields.loose(document, "initializerSignature"), "outputs"))
    signature = fields.table(fields.loose(document, "userDefinedMetadata"), "signature")
    inputs = _resources(signature or fields.table(document, "signature"), "inputs")
    made = {name: initializer.source(outputs[resource]) for resource, name in inputs if resource in outputs}
    return {name: table for name, table in made.items() if _is_input(graph, name) and _is_made(initializer, table)}


def _is_table(graph: Graph, name: str) -> bool:
    return name in graph.by_name and graph.by_name[name].op in TABLES


def _is_made(graph: Graph, name: str) -> bool:
    """Whether a node has an output; later checks show whether that is a table."""
    return name in graph.by_name and ops.has_port(graph.by_name[name], 0)


def _is_input(graph: Graph, name: str) -> bool:
    return name in graph.by_name and graph.by_name[name].op == "Placeholder"


def _resources(signature: Json, side: str) -> Iterator[tuple[int, str]]:
    """The resources on one side of a signature: id, and the node's name."""
    for key in fields.table(signature, side):
        entry = fields.table(fields.table(signature, side), key)
        if entry.get("resourceId") is not None:
            yield fields.integer(entry["resourceId"]), Tensor.parse(fields.text(entry, "name", key)).node


# Both in one graph -----------------------------------------------------------------------------------


def _joined(model: Model, initializer: Graph, shared: Mapping[str, str]) -> Model:
    """The model with the nodes of the initializer that it does not share."""
    names = _names(model.graph, initializer, shared)
    main = [_table(initializer, shared, node) if node.name in shared else node for node in model.graph.nodes]
    inner = [_renamed(node, names) for node in initializer.nodes if node.name not in shared.values()]
    filled = {names[name]: weight for name, weight in initializer.weights.items()}
    return replace(
        model,
        graph=Graph((*main, *inner), {**model.graph.weights, **filled}),
        signatures={
            key: replace(
                signature,
                inputs={name: spec for name, spec in signature.inputs.items() if spec.tensor.node not in shared},
            )
            for key, signature in model.signatures.items()
        },
        initializers=tuple(names[node.name] for node in initializer.nodes if node.op in FILLS),
    )


def _names(graph: Graph, initializer: Graph, shared: Mapping[str, str]) -> dict[str, str]:
    """The new names of the initializer's nodes, as both graphs may have an `Identity`."""
    scope = _free_scope(node.name for node in graph.nodes)
    names = {node.name: f"{scope}{node.name}" for node in initializer.nodes}
    return names | {inner: name for name, inner in shared.items()}


def _free_scope(taken: Iterable[str]) -> str:
    scopes = {scope for scope, slash, _ in (name.partition("/") for name in taken) if slash}
    return f"{free_name('initializer', scopes)}/"


def _table(initializer: Graph, shared: Mapping[str, str], node: Node) -> Node:
    """The initializer's table, in place of a node of the main graph, without control inputs."""
    return initializer.by_name[shared[node.name]]._replace(name=node.name, input=())


def _renamed(node: Node, names: Mapping[str, str]) -> Node:
    return node.reading(lambda tensor: tensor._replace(node=names[tensor.node]))._replace(name=names[node.name])
