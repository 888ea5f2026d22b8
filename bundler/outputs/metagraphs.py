"""From a linked model to a MetaGraph: what becomes of its weights, and whether it has an object graph."""

from __future__ import annotations

from bundler.ir.model import Model
from bundler.outputs.objects import KEY_SUFFIX, object_graph
from bundler.outputs.savedmodel import MetaGraph
from bundler.outputs.saver import with_saver
from bundler.outputs.variables import with_variables

__all__ = ["metagraph"]


def metagraph(
    tags: tuple[str, ...], model: Model, *, scope: str = "", in_checkpoint: bool = False, objects: bool = False
) -> MetaGraph:
    """The MetaGraph of a model: with `in_checkpoint`, its weights are variables; with `objects`, it has their graph.

    `scope` goes before the names of variables in the checkpoint.
    """
    suffix = KEY_SUFFIX if objects else ""
    held, variables = with_variables(model, scope, suffix) if in_checkpoint else (model, ())
    graph = object_graph(held, variables) if objects else None
    saved = with_saver(held, variables, graph.checkpoint if graph else None)
    return MetaGraph(tags, saved, variables, graph)
