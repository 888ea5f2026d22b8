"""Weights as variables: in a checkpoint beside the graph, and restored from it when the graph is loaded.

A graph that holds its weights can take 2 GB at most, and cannot be trained. Here every float weight of the main graph
becomes a variable. The node that reads it has the constant's name, so no other node changes:

    Before:
        w = Const()
    After:
        w/variable = VarHandleOp()
        w = ReadVariableOp(w/variable)

Scalars stay constants, and so do weights of other dtypes (shapes and axes among them), those in a loop's frame, those
that fill a table, those that callers may feed, and those of functions. The nodes that restore and save are those of
TensorFlow's own savers; the MetaGraph of `described` names them for loaders.

Source: tensorflow/core/protobuf/saver.proto, framework/variable.proto; python/training/saver.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, free_name, new_node, shape_proto
from bundler.ir.protos import MetaGraphDef, SaverDef, VariableDef
from bundler.ir.prune import reachable
from bundler.ir.weight import Weight
from bundler.outputs.checkpoint import batches, restore, save, text

__all__ = ["Variable", "are_variables", "described", "restoring", "with_variables"]

_FLOATS = frozenset({DType.float16, DType.float32, DType.float64})

_LARGE = 1 << 30
"""Bytes of weights above which `weights = "auto"` means variables: half of protobuf's limit."""

_FILENAME, _RESTORE, _SAVE = "checkpoint.filename", "checkpoint.restore", "checkpoint.save"
"""Names of the bundle's own nodes, in no scope. A model's node that has no scope either has no such dot."""


class Variable(NamedTuple):
    """A weight in the checkpoint: its name there, and the names of the nodes that read, hold and set it."""

    name: str
    reader: str
    handle: str
    setter: str
    weight: Weight


def are_variables(weights: str, models: Iterable[Model]) -> bool:
    """Whether the weights of a bundle become variables, by the manifest's `weights` and, with "auto", their size."""
    return weights == "variables" or (weights == "auto" and sum(model.weight_bytes for model in models) > _LARGE)


def with_variables(model: Model, scope: str = "") -> tuple[Model, tuple[Variable, ...]]:
    """The model with variables for its weights, in the order of the graph; the same model if it has no such weight.

    `scope` goes before their names in a checkpoint that holds variables of several graphs.
    """
    variables = {variable.reader: variable for variable in _variables(model, f"{scope}/" if scope else "")}
    if not variables:
        return model, ()
    kept = {name: weight for name, weight in model.graph.weights.items() if name not in variables}
    read = (new for node in model.graph.nodes for new in _reading(node, variables))
    graph = Graph((*read, *_restoring(variables.values()), *_saving(variables.values())), kept)
    return replace(model, graph=graph), tuple(variables.values())


def described(variables: tuple[Variable, ...]) -> MetaGraphDef:
    """The fields of a MetaGraph that describe its variables: how they are restored and saved, and that they train."""
    if not variables:
        return MetaGraphDef()
    saver = SaverDef(
        filename_tensor_name=f"{_FILENAME}:0",
        restore_op_name=_RESTORE,
        save_tensor_name=f"{_SAVE}:0",
        max_to_keep=5,
        keep_checkpoint_every_n_hours=10_000,
        version=SaverDef.V2,
    )
    made = MetaGraphDef(saver_def=saver)
    for collection in ("variables", "trainable_variables"):
        made.collection_def[collection].bytes_list.value.extend(map(_definition, variables))
    return made


def restoring(model: Model, prefix: Path) -> Iterator[tuple[str, Model]]:
    """The parts of a graph that restore its variables from the checkpoint of this prefix: node to run, and graph."""
    given = replace(model.graph, nodes=tuple(_given(node, prefix) for node in model.graph.nodes))
    for reference in given.by_name[_RESTORE].input:
        name = reference.removeprefix("^")
        needed = reachable(given, [name])
        yield name, Model(Graph(tuple(node for node in given.nodes if node.name in needed)), producer=model.producer)


def _variables(model: Model, prefix: str) -> Iterator[Variable]:
    graph, nodes = model.graph, model.graph.by_name
    fed = {spec.tensor.node for signature in model.signatures.values() for spec in signature.inputs.values()}
    fixed = fed | reachable(graph, model.initializers)
    for name, weight in graph.weights.items():
        if weight.dtype in _FLOATS and weight.shape and weight.size and name not in fixed and not nodes[name].input:
            handle, setter = (free_name(f"{name}/{part}", nodes) for part in ("variable", "set"))
            yield Variable(prefix + name, name, handle, setter, weight)


# Nodes -------------------------------------------------------------------------------------------


def _reading(const: Node, variables: Mapping[str, Variable]) -> list[Node]:
    """A variable in place of a constant; any other node as it is."""
    if const.name not in variables:
        return [const]
    name, reader, handle, _, weight = variables[const.name]
    shape = shape_proto(weight.shape)
    return [
        new_node("VarHandleOp", handle, dtype=weight.dtype, shape=shape, shared_name=name),
        new_node("ReadVariableOp", reader, [handle], dtype=weight.dtype),
    ]


def _restoring(variables: Collection[Variable]) -> list[Node]:
    """The nodes that restore each batch, and the one that restores all."""
    nodes = [new_node("Placeholder", _FILENAME, dtype=DType.string, shape=shape_proto(()))]
    by_name, parts = {variable.name: variable for variable in variables}, batches(_weights(variables))
    for index, part in enumerate(parts):
        restored = f"{_RESTORE}.{index}"
        nodes += restore(f"{restored}.tensors", _FILENAME, part)
        nodes += [_setting(by_name[name], f"{restored}.tensors:{port}") for port, name in enumerate(part)]
        nodes.append(new_node("NoOp", restored, [f"^{by_name[name].setter}" for name in part]))
    return [*nodes, new_node("NoOp", _RESTORE, [f"^{_RESTORE}.{index}" for index in range(len(parts))])]


def _setting(variable: Variable, tensor: str) -> Node:
    return new_node("AssignVariableOp", variable.setter, [variable.handle, tensor], dtype=variable.weight.dtype)


def _saving(variables: Collection[Variable]) -> list[Node]:
    """The nodes that save the variables and then give the filename."""
    readers = [variable.reader for variable in variables]
    saved = save(f"{_SAVE}.tensors", _FILENAME, _weights(variables), readers)
    return [*saved, new_node("Identity", _SAVE, [_FILENAME, f"^{_SAVE}.tensors"], T=DType.string)]


def _weights(variables: Iterable[Variable]) -> dict[str, Weight]:
    return {variable.name: variable.weight for variable in variables}


def _given(node: Node, prefix: Path) -> Node:
    return text(_FILENAME, prefix) if node.name == _FILENAME else node


def _definition(variable: Variable) -> bytes:
    made = VariableDef(
        variable_name=f"{variable.handle}:0",
        initializer_name=variable.setter,
        snapshot_name=f"{variable.reader}:0",
        is_resource=True,
        trainable=True,
    )
    content: bytes = made.SerializeToString(deterministic=True)
    return content
