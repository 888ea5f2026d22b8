"""Functions of TensorFlow's library, made of parts of the main graph.

Arguments are what callers pass, then what is taken from outside. Their names are those that TensorFlow allows,
`[a-z][a-z0-9_]*`, and differ from the names of nodes. Each result has an Identity of its own, as TensorFlow's have.

Layout: tensorflow/core/framework/function.proto, op_def.proto. python/framework/function_def_to_graph.py reads the
attributes of arguments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from bundler.ir.dtypes import DType
from bundler.ir.fresh import FreshNames
from bundler.ir.model import Function, Graph
from bundler.ir.nodes import Shape, Tensor, new_node, shape_proto
from bundler.ir.protos import FunctionDef, OpDef
from bundler.outputs.objects.captures import Capture
from bundler.outputs.objects.parts import Parts, spellings

__all__ = ["Made", "Parameter", "Result", "function"]


class Parameter(NamedTuple):
    """What callers pass: its name for them, and the tensor of the main graph whose place it takes."""

    key: str
    tensor: Tensor
    dtype: DType
    shape: Shape | None


class Result(NamedTuple):
    """What callers get."""

    tensor: Tensor
    dtype: DType
    shape: Shape | None


class Made(NamedTuple):
    """A function, its name in the library, what it takes from outside, as its last arguments, and its results."""

    name: str
    function: Function
    captured: Sequence[Capture]
    results: Sequence[Result]


def function(name: str, parts: Parts, parameters: Sequence[Parameter], results: Sequence[Result]) -> Made:
    """The function that computes results from parameters."""
    part = parts.part([each.tensor for each in parameters], [each.tensor for each in results])
    names = FreshNames(node.name for node in part.nodes)
    given = [names(_argument(each.key)) for each in parameters]
    outside = {capture.node: names(f"capture_{number}") for number, capture in enumerate(part.captured)}
    returned = {names(f"result_{number}"): result for number, result in enumerate(results)}

    definition = FunctionDef(signature=OpDef(name=name, is_stateful=True))
    for argument, parameter in zip(given, parameters):
        _declare(definition, argument, OpDef.ArgDef(type=parameter.dtype.value), parameter.shape, parameter.key)
    for capture in part.captured:
        _declare(definition, outside[capture.node], capture.argument, capture.shape)
    for argument, result in returned.items():
        definition.signature.output_arg.add(name=argument, type=result.dtype.value)

    spelled = spellings(part, dict(zip((each.tensor for each in parameters), given)), outside)
    graph = _with_results(part.graph(spelled, outside), spelled, returned)
    made = Function(definition, graph, {argument: Tensor(argument) for argument in returned})
    return Made(name, made, part.captured, results)


def _with_results(graph: Graph, spelled: Mapping[str, str], results: Mapping[str, Result]) -> Graph:
    """A body with the nodes that are the results."""
    last = (
        new_node("Identity", name, [spelled.get(str(tensor), str(tensor))], T=dtype)
        for name, (tensor, dtype, _) in results.items()
    )
    return replace(graph, nodes=(*graph.nodes, *last))


def _argument(key: str) -> str:
    """The key in the letters that TensorFlow allows in names of arguments."""
    plain = re.sub("[^a-z0-9_]", "_", key.lower())
    return plain if plain[:1].isalpha() else f"arg_{plain}"


def _declare(to: FunctionDef, name: str, argument: OpDef.ArgDef, shape: Shape | None, key: str = "") -> None:
    """Append an argument."""
    attributes = to.arg_attr[len(to.signature.input_arg)].attr
    attributes["_output_shapes"].list.shape.append(shape_proto(shape))
    if key:
        attributes["_user_specified_name"].s = key.encode()
    declared = to.signature.input_arg.add()
    declared.CopyFrom(argument)
    declared.name = name
