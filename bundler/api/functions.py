"""Frozen graphs as a `tf.Graph` or a function in the caller's own TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bundler.api.graphs import TensorFlowGraph, get_input_tensors, get_output_tensors, graph_def_of
from bundler.ir.protos import GraphDef
from bundler.ir.tables import FILLS

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = ["ModelFunction", "graph_def_to_graph_v1", "graph_to_function_v2"]


def graph_def_to_graph_v1(graph_def: GraphDef) -> TensorFlowGraph:
    """A `tf.Graph` for a session. `tf.compat.v1.tables_initializer()` in it fills its hash tables."""
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        tf.graph_util.import_graph_def(graph_def, name="")
    for name in _fills(graph_def):
        graph.add_to_collection(tf.compat.v1.GraphKeys.TABLE_INITIALIZERS, graph.get_operation_by_name(name))
    return graph


def graph_to_function_v2(graph: TensorFlowGraph | GraphDef) -> ModelFunction:
    """A function of the graph's inputs, in their order, that returns a list of its outputs."""
    import tensorflow as tf

    graph_def = graph_def_of(graph)
    imported = tf.compat.v1.wrap_function(partial(tf.graph_util.import_graph_def, graph_def, name=""), [])
    element = imported.graph.as_graph_element
    fills = [element(name) for name in _fills(graph_def)]
    if fills:
        imported.prune([], fills)()
    inputs, outputs = ([element(name) for name in find(graph_def)] for find in (get_input_tensors, get_output_tensors))
    return ModelFunction(imported.prune(inputs, outputs))


class ModelFunction:
    """A model to call: with a tensor for each input, with all of them in one list or tensor, or by name.

    An input is anything that makes a tensor. It is cast to the model's dtype if NumPy calls the cast `same_kind` (int32
    to float32). `concrete` is TensorFlow's own function; its attributes (`inputs`, `outputs`, `graph`) are those of
    this object too.
    """

    def __init__(self, concrete: Any) -> None:
        self.concrete = concrete
        self._specs = list(concrete.inputs)
        self._names = [tensor.op.name for tensor in self._specs]

    def __call__(self, *inputs: Any, **named: Any) -> list[tf.Tensor]:
        given = self._in_order(inputs, named)
        outputs: list[tf.Tensor] = self.concrete(*map(_as_tensor, given, self._specs))
        return outputs

    def __getattr__(self, name: str) -> Any:
        if name == "concrete":  # not there yet: a copy is being made
            raise AttributeError(name)
        return getattr(self.concrete, name)

    def _in_order(self, inputs: Sequence[Any], named: dict[str, Any]) -> list[Any]:
        if len(inputs) == 1 and len(self._specs) > 1 and not named:
            inputs = tuple(inputs[0])
        rest = self._names[len(inputs) :]
        if len(inputs) > len(self._specs) or set(named) != set(rest):
            wanted, found = ", ".join(self._names), ", ".join([*map(str, range(len(inputs))), *named])
            raise TypeError(f"the model's inputs are {wanted}, and what was given is {found or 'nothing'}")
        return [*inputs, *(named[name] for name in rest)]


def _fills(graph_def: GraphDef) -> list[str]:
    """The nodes that fill hash tables."""
    return [node.name for node in graph_def.node if node.op in FILLS]


def _as_tensor(value: Any, spec: tf.Tensor) -> tf.Tensor:
    import tensorflow as tf

    if not hasattr(value, "dtype"):
        return tf.convert_to_tensor(value, spec.dtype)
    tensor = tf.convert_to_tensor(value)
    found, wanted = tensor.dtype.as_numpy_dtype, spec.dtype.as_numpy_dtype
    return tf.cast(tensor, spec.dtype) if np.can_cast(found, wanted, "same_kind") else tensor
