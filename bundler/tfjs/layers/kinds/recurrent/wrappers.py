"""Layers around a layer.

Sources: tfjs-layers/src/layers/wrappers.ts, bidirectional.py and time_distributed.py in
https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/rnn and in `keras/src/layers/rnn` of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from bundler.drafting.tensors import concat, reduce, reshape, reverse, sizes, times
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.ir.shapes import shown
from bundler.tfjs.layers.description import Layer, Part, parts
from bundler.tfjs.layers.graph.scope import Make, Scope

__all__ = ["LAYERS"]


# Bidirectional -----------------------------------------------------------------------------------


class _Pair(NamedTuple):
    """The layers of both directions."""

    forward: Layer
    backward: Layer


def _bidirectional(
    scope: Scope, x: Value, *states: Value, layer: Part, backward_layer: Part | None, merge_mode: str | None
) -> tuple[Value, ...]:
    """A recurrent layer that goes through the sequence from both ends."""
    if len(states) % 2:
        raise ConversionError("a Bidirectional layer takes its states in pairs", found=f"{len(states)} states")
    pair = _pair(scope, layer, backward_layer)
    half = len(states) // 2
    ahead, *ahead_states = _called(scope, pair.forward, x, *states[:half])
    back, *back_states = _called(scope, pair.backward, x, *states[half:])
    if pair.forward.options["return_sequences"]:
        back = reverse(scope, back, 0 if pair.forward.options.get("time_major") else 1)
    merged = _MERGES[merge_mode](scope, ahead, back)
    return *(output.masked(ahead.mask) for output in merged), *ahead_states, *back_states


def _pair(scope: Scope, layer: Part, backward: Part | None) -> _Pair:
    assert isinstance(layer, Layer)
    if backward is None:
        backward = replace(layer, options={**layer.options, "go_backwards": not layer.options["go_backwards"]})
    assert isinstance(backward, Layer)
    pair = _Pair(_named(scope, layer, "forward"), _named(scope, backward, "backward"))
    differ = [key for key in _COMMON if pair.forward.options[key] != pair.backward.options[key]]
    if differ or pair.forward.options["go_backwards"] == pair.backward.options["go_backwards"]:
        found = f"{differ[0]} of one of them only" if differ else "the same go_backwards"
        raise ConversionError("the two layers of a Bidirectional layer do not fit each other", found=found)
    return pair


_COMMON = ("return_sequences", "return_state", "stateful")
"""Options that both layers have to share."""


def _named(scope: Scope, layer: Layer, direction: str) -> Layer:
    """One of the layers under its name. In Keras, its output is zero at the steps that a mask skips."""
    name = layer.name or layer.kind.lower()
    zeroed = {"zero_output_for_mask": layer.options["return_sequences"]} if scope.origin.zeroes_bidirectional else {}
    named = name if name.startswith(f"{direction}_") else f"{direction}_{name}"
    return replace(layer, name=named, options={**layer.options, **zeroed})


def _called(scope: Scope, layer: Layer, *inputs: Value) -> tuple[Value, ...]:
    assert layer.name is not None
    return scope.inside(layer.name).apply(layer, *inputs)


def _both(scope: Scope, one: Value, other: Value) -> tuple[Value, ...]:
    return one, other


def _concat(scope: Scope, one: Value, other: Value) -> tuple[Value, ...]:
    return (concat(scope, [one, other], -1),)


def _by(op: str) -> Callable[[Scope, Value, Value], tuple[Value, ...]]:
    return lambda scope, one, other: (scope.op(op, one, other),)


def _average(scope: Scope, one: Value, other: Value) -> tuple[Value, ...]:
    return (scope.op("Mul", scope.op("AddV2", one, other), 0.5),)


_MERGES: Mapping[str | None, Callable[[Scope, Value, Value], tuple[Value, ...]]] = {
    None: _both,
    "concat": _concat,
    "sum": _by("AddV2"),
    "mul": _by("Mul"),
    "ave": _average,
}


# TimeDistributed ---------------------------------------------------------------------------------


def _time_distributed(scope: Scope, x: Value, *, layer: Part) -> tuple[Value, ...]:
    """A layer for each step: the steps become a part of the batch."""
    if x.rank < 3:
        expected = "at least 3 dimensions"
        raise ConversionError("the input is of another rank", found=shown(x.shape), expected=expected)
    if any(isinstance(part, Layer) and part.options.get("stateful") for part in parts(layer)):
        raise ConversionError("a stateful layer goes on from step to step here, which is not supported")
    if x.mask is not None and _reads_masks(scope, layer):
        raise ConversionError("TensorFlow.js takes the mask of the steps for one of the steps inside of each step")
    inner = _folded(scope, x).masked(_folded_mask(scope, x.mask))
    outputs = scope.inside(layer.name or "layer").apply(layer, inner)
    return tuple(_unfolded(scope, output, x) for output in outputs)


def _reads_masks(scope: Scope, layer: Part) -> bool:
    """Whether a layer in it gets the mask that is carried from call to call."""
    return any(isinstance(part, Layer) and part.kind in scope.origin.carries_masks for part in parts(layer))


def _folded(scope: Scope, x: Value) -> Value:
    """The first two axes as one."""
    batch, steps, *rest = sizes(scope, x)
    return reshape(scope, x, (times(scope, batch, steps), *rest))


def _folded_mask(scope: Scope, mask: Value | None) -> Value | None:
    """The mask of the steps inside of a step, if there is one."""
    return _folded(scope, mask) if mask is not None and mask.rank > 2 else None


def _unfolded(scope: Scope, y: Value, x: Value) -> Value:
    """The batch and the steps of `x` as axes of their own again, and a mask of the steps."""
    batch, steps, *_ = sizes(scope, x)
    mask = x.mask
    if scope.origin.masks_inside and mask is not None and mask.rank > 2:
        mask = reduce(scope, "Any", mask, range(2, mask.rank))
    if scope.origin.masks_inside and y.mask is not None:
        mask = _unfolded(scope, y.mask, x)
    return reshape(scope, y, (batch, steps, *sizes(scope, y)[1:])).masked(mask)


LAYERS: Mapping[str, Make] = {"Bidirectional": _bidirectional, "TimeDistributed": _time_distributed}
