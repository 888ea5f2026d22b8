"""How much a description may ask for, in proportion to the weights that came with it.

A few characters can ask for variables of any size and for any number of nodes. Sizes are compared with the file: here,
those that a layer declares; in `graph.library`, each variable when it is made; in `drafting`, the nodes.
"""

from __future__ import annotations

from collections.abc import Iterator

from bundler.errors import ConversionError, Fault
from bundler.tfjs.layers.description import Layer, Network, Part, Stack, inner, parts

__all__ = ["MOST_LAYERS", "check", "elements"]

MOST_LAYERS = 5000
"""The largest model of `keras.applications`, NASNetLarge, has 1,041."""
_MOST_CALLS = 20_000
"""Calls of layers, those inside of models counted each time that the model is called."""

_LEAST_ELEMENTS = 2**20
"""Elements that every model may have: a small model without weights gets as far as an error that lists them."""

_DECLARED = ("units", "filters", "input_dim", "output_dim", "depth_multiplier")
"""Options that are a dimension of one of the layer's variables: that has at least as many elements."""


def elements(stored: int) -> int:
    """How many elements all variables of a model may have, if the file has `stored`."""
    return max(stored, _LEAST_ELEMENTS)


def check(model: Stack | Network, stored: int) -> None:
    """ConversionError for too many layers or calls, or a layer that is too large for `stored` elements of weights."""
    layers = [part for _, part in zip(range(MOST_LAYERS + 1), parts(model))]
    if len(layers) > MOST_LAYERS:
        raise ConversionError("the model has too many layers", expected=f"at most {MOST_LAYERS}")
    if _calls(model) > _MOST_CALLS:
        raise ConversionError("the model calls its layers too often", expected=f"at most {_MOST_CALLS} calls")
    faults = list(_oversized(layers, stored))
    if faults:
        raise ConversionError.of(faults)


def _calls(part: Part) -> int:
    """Calls of layers that one call of this one makes."""
    costs = [(each.name, _calls(each)) for each in inner(part)]
    by_name = dict(costs)
    again = sum(by_name[call.layer] for call in part.calls) if isinstance(part, Network) else 0
    return 1 + sum(cost for _, cost in costs) + again


def _oversized(layers: list[Part], stored: int) -> Iterator[Fault]:
    for layer in layers:
        sizes = {key: layer.options.get(key) for key in _DECLARED} if isinstance(layer, Layer) else {}
        for key, size in sizes.items():
            if isinstance(size, int) and size > elements(stored):
                yield Fault(
                    "the layer is larger than all weights of the model",
                    where=f"layer {layer.name!r}",
                    found=f"{key}={size}",
                    expected=f"at most {stored}, the number of their elements",
                )
