"""Which tensor goes where in a model: the calls of its layers.

Keras 2 and JavaScript write `["layer", node, tensor, {arguments}]` for each tensor of a call, Keras 3 writes the
arguments of a call with a configuration for each tensor. Keras itself never comes to an end on calls that wait for
each other, and takes a number that is out of range from the other end of its list: both are errors here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from types import EllipsisType
from typing import NamedTuple

from bundler.errors import ConversionError, within
from bundler.tfjs.fields import Json
from bundler.tfjs.layers import readers
from bundler.tfjs.layers.description import Argument, Call, Input, Layer, Network, Part, Slice, Tensor

__all__ = ["connect"]

_MOST = 20_000
"""Calls of a layer, and tensors of a call."""

_TENSORS = (
    *("mask", "initial_state", "states", "constants", "count_weights"),
    *("query", "value", "key", "query_mask", "value_mask", "key_mask", "attention_mask"),
)
_FLAGS = ("training", "use_causal_mask", "return_attention_scores")
"""Arguments of a call that are tensors, and those that are true or false."""


class _Place(NamedTuple):
    """One call, by the position of its layer in the model and its number among the layer's calls."""

    position: int
    number: int


def connect(
    layers: Sequence[Part], entries: Sequence[Json], config: Json, counts_own: bool
) -> tuple[tuple[Call, ...], tuple[Tensor, ...], tuple[Tensor, ...]]:
    """The calls of a model's layers, its inputs and its outputs.

    `counts_own`: a model among the layers counts its own outputs as its first call. Keras 3 counts this way for the
    outputs of the whole model only: `get_config` in keras/src/models/functional.py.
    """
    known = {part.name: part for part in layers if part.name is not None}

    def tensor(point: object) -> Tensor:
        return _tensor(point, known, _has_input if counts_own else _never)

    def end(point: object) -> Tensor:
        return _tensor(point, known, _has_input if counts_own else _is_network)

    calls: dict[_Place, Call] = {}
    for position, (part, entry) in enumerate(zip(layers, entries)):
        with within(f"layer {part.name!r}"):
            for number, call in enumerate(_calls(part, entry, tensor)):
                calls[_Place(position, number)] = call
    inputs, outputs = (_ends(config, side, end) for side in ("input_layers", "output_layers"))
    _check(calls, layers, [*inputs, *outputs])
    return tuple(calls.values()), inputs, outputs


def _tensor(point: object, known: Mapping[str, Part], counts_own: Callable[[Part], bool]) -> Tensor:
    spelled = readers.items(point)
    if len(spelled) < 3:
        raise readers.wrong(point, "[layer, node, tensor]")
    name, node, output = readers.name(spelled[0]), readers.whole()(spelled[1]), readers.whole(0, _MOST)(spelled[2])
    if name not in known:
        raise ConversionError("a tensor of a layer that the model does not have", found=repr(name))
    if _is_input(known[name]):
        return Tensor(name, 0, output)
    return Tensor(name, node - counts_own(known[name]), output)


def _is_input(part: Part) -> bool:
    return isinstance(part, Layer) and part.kind == "InputLayer"


def _is_network(part: Part) -> bool:
    return isinstance(part, Network)


def _never(_: Part) -> bool:
    return False


def _has_input(part: Part) -> bool:
    """Whether it is a model that was called when it was made, on an input of its own."""
    if isinstance(part, (Layer, Network)):
        return isinstance(part, Network)
    return bool(part.layers) and (_begins(part.layers[0]) or _has_input(part.layers[0]))


def _begins(part: Part) -> bool:
    """Whether a layer brings its input's shape; an Embedding always does, if need be of unknown sizes."""
    return isinstance(part, Layer) and (part.shape is not None or part.kind in ("InputLayer", "Embedding"))


# Calls -------------------------------------------------------------------------------------------

_ReadTensor = Callable[[object], Tensor]


def _calls(part: Part, entry: Json, tensor: _ReadTensor) -> Iterator[Call]:
    assert part.name is not None
    with within("'inbound_nodes'"):
        for node in readers.items(entry.get("inbound_nodes", []), _MOST):
            inputs, arguments = _of_keras_3(node, tensor) if isinstance(node, dict) else _of_keras_2(node, tensor)
            yield Call(part.name, inputs, arguments)


def _of_keras_3(node: Json, tensor: _ReadTensor) -> tuple[tuple[Input, ...], dict[str, Argument]]:
    args = [value for value in readers.items(node.get("args"), _MOST) if value is not None]
    kwargs = {key: value for key, value in readers.table(node.get("kwargs", {})).items() if value is not None}
    history = _through(_history, tensor)
    return tuple(each for value in args for each in _inputs(value, history)), _arguments(kwargs, history)


def _inputs(value: object, tensor: _ReadTensor) -> Iterator[Input]:
    """A tensor, a list of tensors, a number, or an index."""
    if isinstance(value, (bool, int, float)):
        yield readers.number(value) if not isinstance(value, bool) else bool(value)
    elif _is_index(value):
        yield tuple(map(_index, value if isinstance(value, list) else [value]))
    else:
        yield from _listed(value, tensor)


def _is_index(value: object) -> bool:
    listed = value if isinstance(value, list) else [value]
    return bool(listed) and all(
        item is None or isinstance(item, int) or (isinstance(item, dict) and item.get("class_name") in _INDICES)
        for item in listed
    )


_INDICES = ("__slice__", "__ellipsis__")


def _index(item: object) -> int | Slice | EllipsisType | None:
    whole = readers.whole(-(2**31))
    if item is None or isinstance(item, int):
        return item if item is None else whole(item)
    entry = readers.table(item)
    if entry.get("class_name") == "__ellipsis__":
        return Ellipsis
    config, read = readers.table(entry.get("config")), readers.maybe(whole)
    return Slice(*(_whole_or_none(read(config.get(key))) for key in ("start", "stop", "step")))


def _whole_or_none(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _history(value: object) -> object:
    """`[layer, node, tensor]` of a tensor's configuration."""
    return readers.table(readers.table(value).get("config")).get("keras_history")


def _through(first: Callable[[object], object], tensor: _ReadTensor) -> _ReadTensor:
    return lambda value: tensor(first(value))


def _of_keras_2(node: object, tensor: _ReadTensor) -> tuple[tuple[Tensor, ...], dict[str, Argument]]:
    """The arguments stand with each tensor; Keras takes those of the last."""
    points = [readers.items(point) for point in _points(node)]
    kwargs = points[-1][3] if points and len(points[-1]) > 3 else {}
    return tuple(tensor(point) for point in points), _arguments(readers.table(kwargs), tensor)


def _arguments(kwargs: Json, tensor: _ReadTensor) -> dict[str, Argument]:
    """In Keras 2, null is an argument of its own: a mask of null keeps that of the input away."""
    return {_argument_name(key): _argument(key, value, tensor) for key, value in kwargs.items()}


def _argument_name(key: str) -> str:
    found = readers.one_of(*_FLAGS, *_TENSORS)(key)
    assert found is not None
    return found


def _argument(key: str, value: object, tensor: _ReadTensor) -> Argument:
    with within(repr(key)):
        if value is None or key in _FLAGS:
            return None if value is None else readers.flag(value)
        is_one = isinstance(value, dict) or (isinstance(value, list) and value[:1] and isinstance(value[0], str))
        return tensor(value) if is_one else _listed(value, tensor)


def _listed(value: object, tensor: _ReadTensor) -> tuple[Tensor, ...]:
    """The tensors of an argument: one, or a list of them."""
    return tuple(tensor(item) for item in (readers.items(value, _MOST) if isinstance(value, list) else [value]))


def _ends(config: Json, side: str, tensor: _ReadTensor) -> tuple[Tensor, ...]:
    with within(repr(side)):
        value = config.get(side)
        return tuple(tensor(point) for point in _points(list(value.values()) if isinstance(value, dict) else value))


def _points(value: object) -> list[object]:
    """`[layer, node, tensor]`, or a list of them, in which the states of stacked cells are lists of their own."""
    listed = readers.items(value, _MOST)
    if not listed:
        raise readers.wrong(value, "at least one tensor")
    if isinstance(listed[0], str):
        return [listed]
    return [point for item in listed for point in (item if _is_listed(item) else [item])]


def _is_listed(value: object) -> bool:
    """Whether it is a list of tensors and not one."""
    return isinstance(value, list) and all(isinstance(item, list) for item in value)


# Can they be made? -------------------------------------------------------------------------------


def _check(calls: Mapping[_Place, Call], layers: Sequence[Part], ends: Sequence[Tensor]) -> None:
    """ConversionError for a tensor of a call that is not there, or for calls that wait for each other."""
    positions = {part.name: position for position, part in enumerate(layers)}
    inputs = {_Place(position, 0) for position, part in enumerate(layers) if _is_input(part)}

    def place(tensor: Tensor) -> _Place:
        found = _Place(positions[tensor.layer], tensor.call)
        if found not in calls and found not in inputs:
            raise ConversionError("a tensor of a call that is not there", found=f"{tensor.layer!r}, call {tensor.call}")
        return found

    for tensor in ends:
        place(tensor)
    needs = {at: {*map(place, call.tensors), *_before(at)} for at, call in calls.items()}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        circle = " → ".join(repr(layers[at.position].name) for at in error.args[1][:4])
        raise ConversionError("calls of layers wait for each other", found=circle) from None


def _before(at: _Place) -> set[_Place]:
    """A layer's calls are made one after the other."""
    return {_Place(at.position, at.number - 1)} if at.number else set()
