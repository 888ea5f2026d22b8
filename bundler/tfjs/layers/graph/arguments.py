"""What a layer is called with: its inputs, and further arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from inspect import Parameter, signature
from typing import Any

from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.ir.shapes import shown
from bundler.tfjs.layers.origins import Origin

__all__ = ["accepts", "prepared", "takes", "wrong_number"]


def prepared(
    kind: str, origin: Origin, inputs: tuple[Value, ...], arguments: Mapping[str, Any]
) -> tuple[tuple[Value, ...], dict[str, Any]]:
    """The inputs and further arguments of a layer: masks stand with their inputs, states behind them."""
    further = dict(arguments)
    if further.pop("training", None) and origin.trains_as_called and kind in _TRAINED:
        raise ConversionError("the layer is called as in training", found="training=true")
    if "mask" in further:
        mask = further.pop("mask")
        own = mask if isinstance(mask, tuple) and not isinstance(mask, Value) else (mask,) * len(inputs)
        inputs = tuple(value.masked(each) for value, each in zip(inputs, own))
    inputs += tuple(further.pop(name) for name in _NAMED if further.get(name) is not None)
    masks = {at: further.pop(f"{name}_mask") for at, name in enumerate(_NAMED) if f"{name}_mask" in further}
    inputs = tuple(each.masked(masks[at]) if at in masks else each for at, each in enumerate(inputs))
    if further.pop("constants", None) is not None:
        raise ConversionError("the cell of the layer takes no constants")
    states = further.pop("initial_state", None) or further.pop("states", None)
    if states is None:
        return inputs, further
    if "mask" not in arguments and not origin.masks_with_states:
        inputs = tuple(value.masked(None) for value in inputs)
    return inputs + ((states,) if isinstance(states, Value) else tuple(states)), further


_NAMED = ("query", "value", "key")
"""Inputs that a call may name, in their order."""
_TRAINED = frozenset(
    [
        *("AlphaDropout", "BatchNormalization", "Dropout", "GaussianDropout", "GaussianNoise"),
        *("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"),
        *("RandomBrightness", "RandomContrast", "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom"),
    ]
)
"""Layers that compute something else in training."""


@cache
def takes(make: Callable[..., object]) -> tuple[int, int]:
    """The least and the largest number of inputs of a function of the table."""
    _, *taken = signature(make).parameters.values()
    kinds = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.POSITIONAL_ONLY)
    places = [each for each in taken if each.kind in kinds]
    least = sum(each.default is Parameter.empty for each in places)
    return least, 20_000 if any(each.kind == Parameter.VAR_POSITIONAL for each in taken) else len(places)


@cache
def accepts(make: Callable[..., object]) -> frozenset[str]:
    """The arguments of a call that a function of the table takes."""
    return frozenset(name for name, each in signature(make).parameters.items() if each.kind == Parameter.KEYWORD_ONLY)


def wrong_number(inputs: Iterable[Any], expected: str) -> ConversionError:
    found = ", ".join(shown(each.shape) if isinstance(each, Value) else "a number" for each in inputs)[:200] or "none"
    return ConversionError("a wrong number of inputs", found=found, expected=expected)
