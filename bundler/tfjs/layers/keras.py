"""Keras, in a process of its own: from a description to a graph without values.

What runs here imports TensorFlow and tf_keras, which takes seconds and fills the terminal. The weights never come here:
a variable becomes a constant of the graph, and the answer lists them. Keras' deserializers are not used: each layer
is constructed from its class and its options, and called as the description says (see `making`). `process` is the
other side.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from bundler.runtimes.child import serve
from bundler.tfjs.layers.confinement import confine, limit_memory
from bundler.tfjs.layers.description import MODELS, restore
from bundler.tfjs.layers.making import disarm, limited, make

__all__ = ["main"]


def main() -> None:
    """Answer until standard input ends: descriptions in, graphs or Keras' words of refusal out, all as JSON."""
    import tensorflow.python.framework.convert_to_constants  # noqa: F401 - imported now, as is all that writes bytecode

    disarm()
    openings = confine()
    serve(lambda question: _answer(question, openings))


def _answer(question: bytes, openings: Sequence[str]) -> bytes:
    from tensorflow.python.autograph.core.ag_ctx import ControlStatusCtx, Status

    try:
        asked = json.loads(question)
        limit_memory(asked["elements"])
        with limited(asked["elements"]), ControlStatusCtx(Status.DISABLED):  # autograph makes code: nothing needs it
            answered = {**_freeze(make(restore(asked["model"]))), "openings": openings}
    except Exception as error:  # Keras raises what it likes for a model that makes no sense
        answered = {"error": _words(error)}
    return json.dumps(answered).encode()


def _words(error: Exception) -> str:
    """What Keras says, in one line, without its list of the layer's arguments."""
    said = str(error).partition("Call arguments received")[0]
    return f"{type(error).__name__}: {' '.join(said.split())}"


def _freeze(model: Any) -> dict[str, object]:
    """What the model computes when it is not trained.

    `topology` is a GraphDef; `signature` names inputs and outputs as Keras does; `variables` are listed layer by layer,
    with the Const nodes that stand for them, or none where the graph does not read them.
    """
    import tensorflow as tf
    from google.protobuf.json_format import MessageToDict
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    def call(*inputs: Any) -> Any:
        return model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)

    names = zip(model.input_names, model.inputs)
    specs = [tf.TensorSpec(given.shape, given.dtype, name=name) for name, given in names]
    concrete = tf.function(call, autograph=False).get_concrete_function(*specs)
    nodes = {id(captured): inner.op.name for captured, inner in concrete.graph.captures}
    variables = [
        {
            "layer": layer.name,
            "name": variable.name,
            "shape": variable.shape.as_list(),
            "node": nodes.get(id(variable.handle)),
        }
        for layer in _leaves(model)
        for variable in layer.weights
    ]
    frozen = convert_variables_to_constants_v2(concrete, lower_control_flow=False)
    graph = frozen.graph.as_graph_def()
    _empty(graph, {variable["node"] for variable in variables})
    _spell_out(graph)
    return {
        "topology": MessageToDict(graph),
        "signature": {
            "inputs": _entries(model.input_names, frozen.inputs),
            "outputs": _entries(model.output_names, frozen.outputs),
        },
        "variables": variables,
    }


def _leaves(model: Any) -> Iterator[Any]:
    """The layers of a model and of the models in it, each once, in the order of its configuration."""
    seen: set[int] = set()
    pending = [model]
    while pending:
        layer = pending.pop()
        if id(layer) not in seen:
            seen.add(id(layer))
            if type(layer).__name__ in MODELS:
                pending += reversed(layer.layers)
            else:
                yield layer


def _empty(graph: Any, names: Collection[str]) -> None:
    """Take the values out of constants of the main graph."""
    for node in graph.node:
        if node.name in names:
            del node.attr["value"]


def _spell_out(graph: Any) -> None:
    """Have constants hold their bytes, in place of TensorFlow's shorter spellings."""
    import tensorflow as tf

    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    for node in nodes:
        tensor = node.attr["value"].tensor if "value" in node.attr else None
        if tensor is not None and tensor.dtype != tf.string.as_datatype_enum:
            content = tf.make_ndarray(tensor).tobytes()
            made = type(tensor)(dtype=tensor.dtype, tensor_shape=tensor.tensor_shape, tensor_content=content)
            tensor.CopyFrom(made)


def _entries(names: Sequence[str], tensors: Sequence[Any]) -> dict[str, object]:
    return {
        name: {
            "name": tensor.name,
            "dtype": tensor.dtype.as_datatype_enum,
            "tensorShape": {"dim": [{"size": -1 if size is None else size} for size in tensor.shape.as_list()]},
        }
        for name, tensor in zip(names, tensors)
    }
