"""Steps: a cell that goes through a sequence, in a loop or written out.

Sources: `rnn` in tfjs-layers/src/layers/recurrent.ts and in
https://github.com/keras-team/tf-keras/blob/v2.19.0/tf_keras/src/backend.py, `keras/src/backend/tensorflow/rnn.py` of
Keras 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import zip_longest
from typing import NamedTuple

from bundler.drafting.loops import loop
from bundler.drafting.tensors import (
    Size,
    cast,
    channels,
    expand,
    reverse,
    size,
    sizes,
    static,
    transpose,
    vector,
)
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Shape
from bundler.ir.shapes import shown
from bundler.tfjs.layers.graph.scope import Scope
from bundler.tfjs.layers.kinds.recurrent.cells import Cell, States

__all__ = ["Outcome", "Skipped", "Way", "walk"]


class Skipped(Enum):
    """What the output is at a step that the mask skips; the states are those of the step before."""

    PREVIOUS = "the output of the step before, zeros at the first"
    STATE = "the first state of the step before"
    ZEROS = "zeros"


class Way(NamedTuple):
    """How to go through a sequence. `time` is its axis, 0 or 1; the batch is the other one.

    `keeps`: the first states are the last ones of the call before.
    """

    sequences: bool
    backwards: bool = False
    time: int = 1
    skipped: Skipped = Skipped.PREVIOUS
    keeps: bool = False


class Outcome(NamedTuple):
    """The last output, all outputs in the order in which they came (if these were asked for), and the last states."""

    last: Value
    sequence: Value | None
    states: States


_WRITTEN_OUT = 8
"""The most steps that are written out.

An LSTM of 32 units on two cores, written out | as a loop: a step adds 13 nodes | none, and 10 ms | nothing to the first
call, in which TensorFlow optimizes the graph (60 ms); later calls take 0.2 | 0.3 ms for 4 steps, 0.25 | 0.3 for 8,
0.25 | 0.35 for 16, 0.5 | 0.8 for 64. TFLite's converter takes loops with builtins if the size of the batch is known.
"""


def walk(scope: Scope, cell: Cell, x: Value, initial: States, way: Way) -> Outcome:
    """The outputs of a cell for a sequence and its mask. Without initial states these are zeros.

    ConversionError if the sequence has no steps, or the states do not fit the cell.
    """
    steps = x.shape[way.time]
    if steps == 0:
        raise ConversionError("the layer's input has no steps", found=shown(x.shape))
    given = cell.read(scope, x)
    start = _start(scope, cell, given, initial, way)
    mask = _mask(scope, x.mask, given.rank)
    run = _written_out if steps is not None and steps <= _WRITTEN_OUT else _looped
    outcome = run(scope, _Walk(cell, way, start), given, mask)
    if way.keeps:
        scope.keep(outcome.states)
    return outcome


# Before the first step ---------------------------------------------------------------------------


class _Start(NamedTuple):
    """What the first step finds: the output and the states of the step before."""

    output: Value
    states: States


def _start(scope: Scope, cell: Cell, given: Value, initial: States, way: Way) -> _Start:
    """Zeros, of the size of the batch and of the axes between; initial states as they are."""
    if initial and len(initial) != len(cell.states):
        expected = f"{len(cell.states)} initial states, or none"
        raise ConversionError("the layer has another number of states", found=str(len(initial)), expected=expected)
    if initial and way.keeps:
        raise ConversionError("the layer is stateful and called with initial states: one of them can begin only")
    lengths = sizes(scope, given)
    outer = (lengths[1 - way.time], *lengths[2:-1])
    output = _zeros(scope, (*outer, cell.size))
    if way.keeps:
        states = scope.recall([(*output.shape[:-1], each) for each in cell.states])
    elif initial:
        states = tuple(_fitting(state, (*output.shape[:-1], each)) for state, each in zip(initial, cell.states))
    else:
        states = tuple(output if each == cell.size else _zeros(scope, (*outer, each)) for each in cell.states)
    return _Start(output, states)


def _zeros(scope: Scope, shape: Sequence[Size]) -> Value:
    given = vector(scope, shape, "zeros/shape")
    return scope.op("Fill", given, scope.constant(0.0, "zeros/value"), shape=static(shape))


def _fitting(state: Value, expected: Shape) -> Value:
    """An initial state as one of its expected shape."""
    pairs = list(zip(state.shape, expected))
    if state.rank != len(expected) or any(None not in pair and pair[0] != pair[1] for pair in pairs):
        raise ConversionError("an initial state does not fit", found=shown(state.shape), expected=shown(expected))
    return state._replace(shape=expected, mask=None)


def _mask(scope: Scope, mask: Value | None, rank: int) -> Value | None:
    """The mask with as many axes as the steps have, those that it lacks of size 1."""
    if mask is None:
        return None
    if not 2 <= mask.rank < rank:
        expected = f"2 to {rank - 1} dimensions"
        raise ConversionError("the mask of a sequence is of another rank", found=shown(mask.shape), expected=expected)
    mask = cast(scope, mask, DType.bool)
    for _ in range(mask.rank, rank):
        mask = expand(scope, mask, -1)
    return mask


# Steps -------------------------------------------------------------------------------------------


class _Walk(NamedTuple):
    """What is the same at all steps."""

    cell: Cell
    way: Way
    start: _Start

    def step(self, scope: Scope, given: Value, mask: Value | None, before: _Start) -> _Start:
        """One step: its output and the states after it."""
        output, states = self.cell.step(scope, given, before.states)
        if mask is None:
            return _Start(output, states)
        kept = [scope.op("SelectV2", mask, new, old) for new, old in zip(states, before.states)]
        return _Start(scope.op("SelectV2", mask, output, self._skipped(before)), tuple(kept))

    def _skipped(self, before: _Start) -> Value:
        if self.way.skipped is Skipped.STATE:
            return before.states[0]
        return before.output if self.way.skipped is Skipped.PREVIOUS else self.start.output


def _written_out(scope: Scope, walk: _Walk, given: Value, mask: Value | None) -> Outcome:
    axis = walk.way.time
    steps = list(zip_longest(_unstacked(scope, given, axis), () if mask is None else _unstacked(scope, mask, axis)))
    after, outputs = walk.start, []
    for step in reversed(steps) if walk.way.backwards else steps:
        after = walk.step(scope, *step, after)
        outputs.append(after.output)
    return Outcome(after.output, _stacked(scope, outputs, axis) if walk.way.sequences else None, after.states)


def _unstacked(scope: Scope, value: Value, axis: int) -> tuple[Value, ...]:
    shape, count = value.shape[:axis] + value.shape[axis + 1 :], channels(value, axis)
    return scope.outputs("Unpack", value, shapes=[shape] * count, num=count, axis=axis)


def _stacked(scope: Scope, values: Sequence[Value], axis: int) -> Value:
    shape = values[0].shape
    return scope.op("Pack", *values, shape=(*shape[:axis], len(values), *shape[axis:]), axis=axis)


def _looped(scope: Scope, walk: _Walk, given: Value, mask: Value | None) -> Outcome:
    """A loop over the steps. Its outputs go into a list, which becomes a tensor in the end."""
    read = [_in_order(scope, value, walk.way) for value in (given, mask) if value is not None]
    count, many = size(scope, given, walk.way.time), len(walk.start.states)

    def goes_on(scope: Scope, values: States) -> States:
        return (scope.op("Less", values[0], count, shape=()),)

    def turn(scope: Scope, values: States) -> States:
        number, output, *rest = values
        states, lists = rest[:many], rest[many:]
        step = [_at(scope, value, number) for value in read]
        after = walk.step(scope, step[0], step[1] if mask is not None else None, _Start(output, tuple(states)))
        grown = [scope.op("TensorListSetItem", each, number, after.output, shape=()) for each in lists]
        return scope.op("AddV2", number, 1), after.output, *after.states, *grown

    lists = [_reserved(scope, walk.start.output, count)] if walk.way.sequences else []
    begin = [scope.constant(0, "step"), walk.start.output, *walk.start.states, *lists]
    _, output, *rest = loop(scope, begin, goes_on, turn)
    sequence = _joined(scope, rest[many], given, walk) if lists else None
    return Outcome(output, sequence, tuple(rest[:many]))


def _in_order(scope: Scope, value: Value, way: Way) -> Value:
    """The steps on the first axis, in the order in which they are gone through."""
    value = transpose(scope, value, (way.time, 1 - way.time, *range(2, value.rank)))
    return reverse(scope, value, 0) if way.backwards else value


def _at(scope: Scope, value: Value, number: Value) -> Value:
    return scope.op("GatherV2", value, number, scope.constant(0, "GatherV2/axis"), shape=value.shape[1:])


def _reserved(scope: Scope, output: Value, count: Size) -> Value:
    """A list with room for `count` outputs."""
    number = count if isinstance(count, Value) else scope.constant(count, "steps")
    return scope.op("TensorListReserve", _shape(scope, output), number, shape=(), element_dtype=output.dtype)


def _joined(scope: Scope, items: Value, given: Value, walk: _Walk) -> Value:
    """The outputs of a list as one tensor."""
    time, output = walk.way.time, walk.start.output
    shape = (given.shape[time], *output.shape)
    stacked = scope.op("TensorListStack", items, _shape(scope, output), shape=shape, element_dtype=output.dtype)
    return transpose(scope, stacked, (time, 1 - time, *range(2, stacked.rank)))


def _shape(scope: Scope, output: Value) -> Value:
    """The shape of an output. It is known as soon as the batch is: TFLite's converter needs it."""
    return vector(scope, sizes(scope, output), "output_shape")
