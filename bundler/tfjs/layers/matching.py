"""Which weight of a file is which variable of a Keras model.

TensorFlow.js goes by names, and leaves the name of a recurrent cell out of account. Names differ for more reasons: a
layer built twice in one graph of TensorFlow 1 is called `dense_1` and its weights `dense_1_1/kernel`; Keras 3 puts the
model's name in front, or has numbers in place of names. Then the layer's own weights are found by their last name, and
where that says nothing by their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from bundler.errors import ConversionError, Fault
from bundler.ir.dtypes import DType

__all__ = ["Variable", "match"]


class Variable(NamedTuple):
    """A variable: `name` is `dense/kernel`, `node` the constant that stands for it, `model/dense/kernel`."""

    layer: str
    name: str
    shape: tuple[int, ...]
    node: str
    dtype: DType = DType.float32


def match(variables: Sequence[Variable], weights: Mapping[str, tuple[int, ...]]) -> dict[Variable, str]:
    """The weight of each variable; `weights` are shapes by name. Variables of one layer stand together.

    ConversionError that names every variable without a weight of its shape.
    """
    found, used = dict[Variable, str](), set[str]()
    for spell in (_with_models, _in_its_layer, _without_its_cell):
        for variable in variables:
            name = spell(variable)
            if variable not in found and name in weights and name not in used:
                found[variable] = name
                used.add(name)
    layers = {variable.layer for variable in variables}
    free = {name: _layer_of(name, layers) for name in weights if name not in used}
    for layer, own in groupby(variables, key=lambda variable: variable.layer):
        lacking = [variable for variable in own if variable not in found]
        given = [name for name, of in free.items() if of == layer] if lacking else []
        taken = dict(_within_layer(lacking, given))
        found |= taken
        free = {name: of for name, of in free.items() if name not in taken.values()} if taken else free
    faults = list(_faults(variables, found, weights))
    if faults:
        raise ConversionError.of(faults)
    return found


def _with_models(variable: Variable) -> str:
    return variable.node


def _in_its_layer(variable: Variable) -> str:
    return variable.name


def _without_its_cell(variable: Variable) -> str:
    """`lstm/lstm_cell/kernel` was `lstm/kernel` before TensorFlow 2.2."""
    *path, _, last = ["", *variable.name.split("/")]
    return "/".join([*path[1:], last])


def _layer_of(weight: str, layers: set[str]) -> str | None:
    """The layer that a weight's path names, as it is or with a number behind."""
    path = weight.split("/")[:-1]
    plain = [re.sub(r"_\d+$", "", part) for part in path]
    return next((part for part in [*reversed(path), *reversed(plain)] if part in layers), None)


def _within_layer(variables: Sequence[Variable], weights: Sequence[str]) -> Iterator[tuple[Variable, str]]:
    """Pairs by last name where these are the same on both sides, else by order; none where the counts differ."""
    if len(variables) != len(weights):
        return
    lasts = {name.rpartition("/")[2]: name for name in weights}
    wanted = [variable.name.rpartition("/")[2] for variable in variables]
    if len(lasts) == len(weights) and set(wanted) == lasts.keys():
        weights = [lasts[last] for last in wanted]
    yield from zip(variables, weights)


def _faults(
    variables: Sequence[Variable], found: Mapping[Variable, str], weights: Mapping[str, tuple[int, ...]]
) -> Iterator[Fault]:
    used = {*found.values()}
    for variable in variables:
        where, expected = f"layer {variable.layer!r}", str(list(variable.shape))
        if variable not in found:
            unused = ", ".join(name for name in weights if name not in used)
            yield Fault(f"the model has no weight for {variable.name!r}", where, found=unused[:200], expected=expected)
        elif weights[found[variable]] != variable.shape:
            shape = str(list(weights[found[variable]]))
            yield Fault(f"weight {found[variable]!r} is of another shape", where, found=shape, expected=expected)
