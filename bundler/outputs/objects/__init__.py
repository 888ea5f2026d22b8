"""The object graph of a MetaGraph: what `tf.saved_model.load` makes of it, with a function for each signature.

Without one, Python's loader imports the whole main graph for each signature. Servers and the C library do not look at
it. The functions are parts of the main graph, and the constants that they take are those of the main graph.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bundler.ir.model import Function, Model
from bundler.ir.protos import SavedObjectGraph
from bundler.outputs.objects.objects import KEY_SUFFIX, checkpoint_graph
from bundler.outputs.objects.obstacles import obstacle
from bundler.outputs.variables import Variable

__all__ = ["KEY_SUFFIX", "ObjectGraph", "object_graph", "obstacle"]


@dataclass(frozen=True)
class ObjectGraph:
    """The objects, the functions behind them, and the serialized graph that a checkpoint of their variables has."""

    message: SavedObjectGraph
    functions: Mapping[str, Function]
    checkpoint: bytes


def object_graph(model: Model, variables: Collection[Variable]) -> ObjectGraph:
    """The object graph of a MetaGraph whose weights are these variables, and constants."""
    from bundler.outputs.objects.build import Builder  # late: the bundle of one model has none

    builder = Builder(model, variables)
    builder.build(model.signatures)
    message = builder.objects.message
    return ObjectGraph(message, builder.functions, checkpoint_graph(message))
