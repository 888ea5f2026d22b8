"""EinsumDense: a product of tensors by the letters of their axes.

Sources: https://github.com/keras-team/tf-keras/blob/v2.19.0/tf_keras/src/layers/core/einsum_dense.py,
`keras/src/layers/core/einsum_dense.py` of Keras 3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import ascii_letters

from bundler.drafting.tensors import floats
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.ir.nodes import Shape
from bundler.ir.shapes import shown
from bundler.tfjs.layers.description import Part
from bundler.tfjs.layers.graph.scope import Make, Scope
from bundler.tfjs.layers.kinds.activations import activate

__all__ = ["LAYERS"]


def _einsum_dense(
    scope: Scope,
    x: Value,
    *,
    equation: str,
    output_shape: Shape,
    bias_axes: str | None,
    activation: str | Part,
) -> Value:
    """The sums of products of an equation such as `ab,bc->ac`, plus a bias along some axes."""
    x = floats(scope, x)
    given, weights, made, free = _terms(equation, x.rank)
    sizes = dict(zip(given, x.shape)) if len(given) == x.rank else {}
    named = [letter for letter in made if letter not in free]
    named = named if free and made.startswith(free) else named[1:]  # the first one is the batch
    if not sizes or len(named) != len(output_shape):
        found = f"{shown(x.shape)} to {shown(output_shape)}"
        raise ConversionError("the equation does not fit the shapes", found=found, expected=equation)
    sizes = {**{letter: size for letter, size in zip(named, output_shape) if size is not None}, **sizes}
    kernel = scope.weight("kernel", [sizes.get(letter) for letter in weights])
    shape = tuple(sizes.get(letter) for letter in made)
    y = scope.op("Einsum", x, kernel, shape=shape, equation=f"{given},{weights}->{made}")
    if bias_axes:
        y = scope.op("AddV2", y, scope.weight("bias", _bias_shape(made, bias_axes, sizes)))
    return activate(scope, y, activation)


def _terms(equation: str, rank: int) -> tuple[str, str, str, str]:
    """The letters of input, kernel and output, and those that stand for an ellipsis."""
    given, weights, made = re.split(",|->", equation)
    unused = [letter for letter in ascii_letters if letter not in equation]
    free = "".join(unused[: max(rank - len(given.replace("...", "")), 0)]) if "..." in given else ""
    return given.replace("...", free), weights, made.replace("...", free), free


def _bias_shape(made: str, bias_axes: str, sizes: Mapping[str, int | None]) -> list[int | None]:
    """From the first axis that has a bias on; 1 for those that have none."""
    if not set(bias_axes) <= set(made):
        raise ConversionError("a bias along an axis that is not there", found=bias_axes, expected=f"letters of {made}")
    first = min(made.index(letter) for letter in bias_axes)
    return [sizes.get(letter) if letter in bias_axes else 1 for letter in made[first:]]


LAYERS: Mapping[str, Make] = {"EinsumDense": _einsum_dense}
