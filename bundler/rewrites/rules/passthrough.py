"""Outputs that are inputs: a session refuses to fetch a tensor that it is fed."""

from __future__ import annotations

from dataclasses import replace

from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Node, Tensor, free_name, new_node

__all__ = ["copy_fed_outputs"]


def copy_fed_outputs(model: Model) -> Model:
    """Give an output that is also an input of its signature a node of its own, which copies it.

    TensorFlow Serving and the C API answer "both fed and fetched" to such a signature; `tf.saved_model.load` allows it.
    """
    fed = {
        spec.tensor: spec
        for signature in model.signatures.values()
        for spec in signature.outputs.values()
        if spec.tensor in _fed(signature)
    }
    if not fed:
        return model
    copies = {tensor: _copy(spec, model.graph) for tensor, spec in fed.items()}
    return replace(
        model,
        graph=replace(model.graph, nodes=(*model.graph.nodes, *copies.values())),
        signatures={key: _reading(signature, copies) for key, signature in model.signatures.items()},
    )


def _fed(signature: Signature) -> set[Tensor]:
    return {spec.tensor for spec in signature.inputs.values()}


def _copy(spec: TensorSpec, graph: Graph) -> Node:
    name = free_name(f"{spec.tensor.node}/copy", graph.by_name)
    return new_node("Identity", name, [str(spec.tensor)], T=spec.dtype)


def _reading(signature: Signature, copies: dict[Tensor, Node]) -> Signature:
    fed = _fed(signature)
    outputs = {
        name: replace(spec, tensor=Tensor(copies[spec.tensor].name)) if spec.tensor in fed else spec
        for name, spec in signature.outputs.items()
    }
    return replace(signature, outputs=outputs)
