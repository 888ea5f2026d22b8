"""The nodes that restore a MetaGraph's variables from a checkpoint and save them again, and how loaders find the nodes.

They are those of TensorFlow's own savers.

Source: tensorflow/core/protobuf/saver.proto, framework/variable.proto; python/training/saver.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, new_node, shape_proto
from bundler.ir.protos import MetaGraphDef, SaverDef, VariableDef
from bundler.ir.prune import reachable
from bundler.ir.weight import Weight
from bundler.outputs.checkpoint import OBJECTS, batches, restore, save, text
from bundler.outputs.variables import Variable

__all__ = ["described", "restoring", "with_saver"]

_FILENAME, _RESTORE, _SAVE = "checkpoint.filename", "checkpoint.restore", "checkpoint.save"
"""Names of the bundle's own nodes, in no scope. A model's node that has no scope either has no such dot."""


def with_saver(model: Model, variables: Collection[Variable], objects: bytes | None = None) -> Model:
    """The model with the nodes that restore and save its variables; the same model if there is none.

    `objects` is the serialized graph of objects that they save, too.
    """
    if not variables:
        return model
    nodes = (*model.graph.nodes, *_restoring(variables), *_saving(variables, objects))
    return replace(model, graph=replace(model.graph, nodes=nodes))


def described(variables: Collection[Variable]) -> MetaGraphDef:
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


def _restoring(variables: Collection[Variable]) -> list[Node]:
    """The nodes that restore each batch, and the one that restores all."""
    nodes = [new_node("Placeholder", _FILENAME, dtype=DType.string, shape=shape_proto(()))]
    by_key, parts = {variable.key: variable for variable in variables}, batches(_weights(variables))
    for index, part in enumerate(parts):
        restored = f"{_RESTORE}.{index}"
        nodes += restore(f"{restored}.tensors", _FILENAME, part)
        nodes += [_setting(by_key[key], f"{restored}.tensors:{port}") for port, key in enumerate(part)]
        nodes.append(new_node("NoOp", restored, [f"^{by_key[key].setter}" for key in part]))
    return [*nodes, new_node("NoOp", _RESTORE, [f"^{_RESTORE}.{index}" for index in range(len(parts))])]


def _setting(variable: Variable, tensor: str) -> Node:
    return new_node("AssignVariableOp", variable.setter, [variable.handle, tensor], dtype=variable.weight.dtype)


def _saving(variables: Collection[Variable], objects: bytes | None) -> list[Node]:
    """The nodes that save the variables and then give the filename."""
    saved = {variable.key: (variable.reader, variable.weight.dtype) for variable in variables}
    nodes = []
    if objects is not None:
        nodes.append(text(f"{_SAVE}.objects", objects))
        saved[OBJECTS] = (nodes[0].name, DType.string)
    nodes += save(f"{_SAVE}.tensors", _FILENAME, saved)
    return [*nodes, new_node("Identity", _SAVE, [_FILENAME, f"^{_SAVE}.tensors"], T=DType.string)]


def _weights(variables: Iterable[Variable]) -> dict[str, Weight]:
    return {variable.key: variable.weight for variable in variables}


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
