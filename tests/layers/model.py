"""Small models in words that Keras 2, Keras 3 and TensorFlow.js all understand.

Kinds and options have the names of Keras 2; the programs that make the models (`keras.py`, `javascript.js`) spell them
as their library does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

__all__ = [
    "Call",
    "Input",
    "Layer",
    "Model",
    "Network",
    "Part",
    "Stack",
    "chain",
    "document",
    "feeds",
    "ids",
    "layer",
    "layers",
    "wired",
]

STEPS = 3
"""Steps of a padded series that are not padding, at least."""


class Layer(NamedTuple):
    """A layer or a cell; its options may hold others."""

    kind: str
    options: Mapping[str, Any]


class Input(NamedTuple):
    """An input: its shape without the batch, None for an unknown size, which is `size` when the model runs.

    Its values are uniform between -1 and 1, or between -8 and 8 if `wide`; `ids` are integers from 0 to below `below`,
    and `padded` ones end in steps of zeros. `batch` is part of the model only if `fixed`.
    """

    shape: tuple[int | None, ...]
    draw: Literal["uniform", "wide", "ids", "padded"] = "uniform"
    below: int = 0
    dtype: str = "float32"
    size: int = 7
    batch: int = 2
    fixed: bool = False


class Call(NamedTuple):
    """`results = layer(*tensors, **arguments)`; a layer with several results may give them to one name.

    An argument is a tensor's name, a list of them, or a plain value.
    """

    results: tuple[str, ...]
    layer: str
    tensors: list[Any]
    arguments: Mapping[str, Any]


class Network(NamedTuple):
    """A model of layers that are called by name, and the names of its results."""

    inputs: Mapping[str, Input]
    layers: Mapping[str, Part]
    calls: Sequence[Call]
    outputs: Sequence[str]


class Stack(NamedTuple):
    """A Sequential of these layers; without an input it is built by its first call."""

    layers: tuple[Part, ...]
    input: Input | None = None


Model: TypeAlias = "Stack | Network"
Part: TypeAlias = "Layer | Stack | Network"


def layer(kind: str, **options: Any) -> Layer:
    """A layer or a cell, for a model or for another layer."""
    return Layer(kind, options)


def ids(*shape: int | None, below: int = 4, dtype: str = "float32") -> Input:
    """An input of integers from 0 to below `below`; a 0 is in each batch."""
    return Input(shape, "ids", below, dtype)


def chain(inputs: Sequence[Input], *layers: Part) -> Network:
    """Layers called one after the other, the first with all inputs: `x`, `x2`, `x3`, …"""
    names = ["x" if number == 1 else f"x{number}" for number in range(1, len(inputs) + 1)]
    calls: list[Call] = []
    given: str | list[str] = names[0] if len(names) == 1 else names
    for number in range(len(layers)):
        calls.append(Call((f"y{number}",), f"l{number}", [given], {}))
        given = f"y{number}"
    parts = {f"l{number}": part for number, part in enumerate(layers)}
    return Network(dict(zip(names, inputs)), parts, calls, [calls[-1].results[0]])


def wired(code: str, inputs: Mapping[str, Input], outputs: str = "", **layers: Part) -> Network:
    """A model by the calls of its layers: `h, state = rnn(x); y = add([dense(h), x])`.

    Its outputs are those named, with blanks between, or else the results of the last call.
    """
    calls: list[Call] = []
    for statement in ast.parse(code).body:
        assert isinstance(statement, ast.Assign)
        (target,) = statement.targets
        results = target.elts if isinstance(target, ast.Tuple) else [target]
        _called(statement.value, tuple(map(ast.unparse, results)), calls)
    return Network(inputs, layers, calls, outputs.split() or calls[-1].results)


def _called(value: ast.expr, results: tuple[str, ...], calls: list[Call]) -> None:
    """Append a call, after those that its arguments are."""
    assert isinstance(value, ast.Call)
    tensors = [_argument(given, calls) for given in value.args]
    arguments = {str(given.arg): _argument(given.value, calls) for given in value.keywords}
    calls.append(Call(results, ast.unparse(value.func), tensors, arguments))


def _argument(value: ast.expr, calls: list[Call]) -> Any:
    """A tensor's name, a list of them, or a plain value; text stands in an object, so that it is no name."""
    with suppress(ValueError):
        plain = ast.literal_eval(value)
        return {"text": plain} if isinstance(plain, str) else plain
    if isinstance(value, ast.List):
        return [_argument(item, calls) for item in value.elts]
    if isinstance(value, ast.Call):
        _called(value, (f"t{len(calls)}",), calls)
        return calls[-1].results[0]
    return ast.unparse(value)


def layers(part: Any) -> Iterator[Layer]:
    """All layers in a model, a layer or an option, those inside of others too."""
    if isinstance(part, Layer):
        yield part
        yield from layers(part.options)
    elif isinstance(part, Mapping):
        yield from (inner for value in part.values() for inner in layers(value))
    elif isinstance(part, Network):
        yield from layers(part.layers)
    elif isinstance(part, (Stack, list, tuple)) and not isinstance(part, (Input, Call)):
        yield from (inner for value in (part.layers if isinstance(part, Stack) else part) for inner in layers(value))


# For the programs --------------------------------------------------------------------------------


def document(part: Any) -> Any:
    """A model as JSON: an object for each layer, stack, network, input and call."""
    if isinstance(part, Layer):
        return {"kind": part.kind, "options": document(part.options)}
    if isinstance(part, Stack):
        return {"kind": "Sequential", **document(part._asdict())}
    if isinstance(part, Network):
        return {"kind": "Functional", **document(part._asdict())}
    if isinstance(part, (Input, Call)):
        return document(part._asdict())
    if isinstance(part, Mapping):
        return {key: document(value) for key, value in part.items()}
    return [document(item) for item in part] if isinstance(part, (list, tuple)) else part


def feeds(model: Model, seed: int) -> list[np.ndarray]:
    """A value for each input, the same for the same seed."""
    random = np.random.default_rng(seed)
    inputs = model.inputs.values() if isinstance(model, Network) else [model.input]
    return [_drawn(given, random).astype(given.dtype) for given in inputs if given is not None]


def _drawn(given: Input, random: np.random.Generator) -> np.ndarray:
    shape = (given.batch, *(given.size if size is None else size for size in given.shape))
    if given.draw == "ids":
        drawn = random.integers(0, given.below, shape)
        drawn.flat[-1] = 0
        return drawn
    values = random.uniform(-1, 1, shape) * (8 if given.draw == "wide" else 1)
    if given.draw == "padded":
        for row, length in zip(values, _lengths(given.batch, shape[1], random)):
            row[length:] = 0
    return values


def _lengths(batch: int, steps: int, random: np.random.Generator) -> Iterator[int]:
    yield from random.integers(min(STEPS, steps), steps, batch, endpoint=False)
