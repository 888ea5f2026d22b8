"""What functions take from outside of them: variables, hash tables and large constants of the main graph.

Each is one object, however many functions take it. Other constants are copied into the functions: TensorFlow looks at
the values of small ones, and oneDNN keeps a filter in the order that it computes with, if the filter is a constant of
the function. It puts one from outside in order at each call.

Source: tensorflow/core/common_runtime/mkl_layout_pass.cc, `is_filter_const`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from bundler.ir.dtypes import DType
from bundler.ir.model import Model
from bundler.ir.nodes import Shape, shape_proto
from bundler.ir.protos import OpDef, SavedConstant, SavedObject, SavedResource, SavedVariable
from bundler.ir.tables import shared_name
from bundler.ir.weight import Weight
from bundler.outputs.objects.lean.halves import nbytes
from bundler.outputs.variables import Variable

__all__ = ["LARGEST_COPY", "Capture", "captures"]

LARGEST_COPY = 32 * 1024
"""Bytes that a function holds of a constant. Larger ones are taken from outside: docs/SCALE.md has what limits cost."""


class Capture(NamedTuple):
    """An object, and how functions declare it: an argument of this shape. `node` is the first node that gives it."""

    node: str
    object: SavedObject
    argument: OpDef.ArgDef
    shape: Shape


def captures(model: Model, variables: Collection[Variable]) -> Mapping[str, Capture]:
    """The objects behind nodes of the main graph, by the node's name. Nodes of one table share its object."""
    return {**_variables(variables), **_tables(model), **_constants(model.graph.weights)}


def _variables(variables: Collection[Variable]) -> Mapping[str, Capture]:
    return {variable.handle: _variable(variable) for variable in variables}


def _variable(variable: Variable) -> Capture:
    dtype, shape = variable.weight.dtype.value, shape_proto(variable.weight.shape)
    saved = SavedVariable(dtype=dtype, shape=shape, trainable=True, name=variable.name)
    argument = OpDef.ArgDef(type=DType.resource.value)
    argument.handle_data.add(dtype=dtype, shape=shape)
    return Capture(variable.handle, SavedObject(variable=saved), argument, ())


def _tables(model: Model) -> Mapping[str, Capture]:
    """The tables that are resources. Those of version 1 are found by their names, from within functions too."""
    nodes = [node for node in model.graph.nodes if node.op == "HashTableV2"]
    first = {shared_name(node): node.name for node in reversed(nodes)}
    made = {name: _table(name) for name in first.values()}
    return {node.name: made[first[shared_name(node)]] for node in nodes}


def _table(node: str) -> Capture:
    argument = OpDef.ArgDef(type=DType.resource.value)
    return Capture(node, SavedObject(resource=SavedResource()), argument, ())


def _constants(weights: Mapping[str, Weight]) -> Mapping[str, Capture]:
    return {
        name: _constant(name, weight)
        for name, weight in weights.items()
        if weight.dtype.is_number and nbytes(weight) > LARGEST_COPY
    }


def _constant(node: str, weight: Weight) -> Capture:
    saved = SavedObject(constant=SavedConstant(operation=node))
    return Capture(node, saved, OpDef.ArgDef(type=weight.dtype.value), weight.shape)
