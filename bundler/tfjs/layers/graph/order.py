"""The order in which a model calls its layers."""

from __future__ import annotations

from typing import TypeAlias

from bundler.errors import ConversionError
from bundler.tfjs.layers.description import Call, Network

__all__ = ["needed_calls"]

_Key: TypeAlias = "tuple[str, int]"
"""A layer, and the number of one of its calls."""


def needed_calls(network: Network) -> list[tuple[int, Call]]:
    """The calls that the outputs need, each with its number among those of its layer.

    They stand in the order in which TensorFlow.js makes them, for it carries masks from one to the next: what the first
    output needs, the last input of each call first. ConversionError if one needs an input that the model does not take.

    https://github.com/tensorflow/tfjs/blob/tfjs-v4.22.0/tfjs-layers/src/engine/executor.ts
    """
    calls, numbers = dict[_Key, Call](), dict[str, int]()
    for call in network.calls:
        numbers[call.layer] = numbers.get(call.layer, -1) + 1
        calls[call.layer, numbers[call.layer]] = call
    done = {(tensor.layer, tensor.call) for tensor in network.inputs}
    order: list[tuple[int, Call]] = []
    for output in network.outputs:
        order += _behind((output.layer, output.call), calls, done)
    return order


def _behind(wanted: _Key, calls: dict[_Key, Call], done: set[_Key]) -> list[tuple[int, Call]]:
    """The calls that are still to be made for one, and that one; from now on they are done."""
    made: list[tuple[int, Call]] = []
    opened: set[_Key] = set()
    waiting = [wanted]
    while waiting:
        key = waiting[-1]
        if key in done:
            waiting.pop()
        elif key in opened:
            waiting.pop()
            done.add(key)
            made.append((key[1], calls[key]))
        elif key not in calls:
            raise ConversionError("an input of the model is not among those it takes", found=repr(key[0]))
        else:
            opened.add(key)
            waiting += [(tensor.layer, tensor.call) for tensor in calls[key].tensors]
    return made
