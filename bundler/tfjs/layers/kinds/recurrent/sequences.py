"""Recurrent layers, and their cells as layers.

Sources: tfjs-layers/src/layers/recurrent.ts, https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/rnn,
`keras/src/layers/rnn` of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bundler.drafting.tensors import channels, check_rank, floats
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.tfjs.layers.description import Part
from bundler.tfjs.layers.graph.scope import Make, Scope
from bundler.tfjs.layers.kinds.recurrent.cells import CELLS, Cell, cell_of
from bundler.tfjs.layers.kinds.recurrent.steps import Skipped, Way, walk

__all__ = ["LAYERS", "once", "sequenced"]


def _rnn(scope: Scope, x: Value, *states: Value, cell: Part, **options: Any) -> tuple[Value, ...]:
    """A layer that is given its cell."""
    check_rank(x, 3)
    return sequenced(scope, cell_of(scope, cell, channels(x), "cell"), x, states, **options)


def _of(kind: str, name: str) -> Make:
    """A layer that has the options of its cell."""

    def make(scope: Scope, x: Value, *states: Value, **options: Any) -> tuple[Value, ...]:
        check_rank(x, 3)
        cell = CELLS[kind](scope.inside(name), channels(x), **options).at(name)
        return sequenced(scope, cell, x, states, **options)

    return make


def sequenced(
    scope: Scope,
    cell: Cell,
    x: Value,
    states: tuple[Value, ...],
    *,
    return_sequences: bool,
    return_state: bool,
    go_backwards: bool,
    time_major: bool,
    zero_output_for_mask: bool,
    stateful: bool,
    **_: object,
) -> tuple[Value, ...]:
    """The outputs of a recurrent layer: the last one or all of them, then the last states if these are asked for."""
    skipped = Skipped.ZEROS if zero_output_for_mask else Skipped.PREVIOUS
    way = Way(
        sequences=return_sequences,
        backwards=go_backwards,
        time=0 if time_major else 1,
        skipped=Skipped.STATE if scope.origin.repeats_state else skipped,
        keeps=stateful,
    )
    found = walk(scope, cell, floats(scope, x), tuple(floats(scope, state) for state in states), way)
    output = found.last if found.sequence is None else found.sequence.masked(x.mask)
    return output, *(found.states if return_state else ())


def once(scope: Scope, cell: Cell, x: Value, states: tuple[Value, ...]) -> tuple[Value, ...]:
    """A single step: the output, and the next states."""
    if len(states) != len(cell.states):
        found, expected = str(len(states)), str(len(cell.states))
        raise ConversionError("the cell has another number of states", found=found, expected=expected)
    given = tuple(floats(scope, state) for state in states)
    output, after = cell.step(scope, cell.read(scope, floats(scope, x)), given)
    return output, *after


def _cell(scope: Scope, x: Value, *states: Value, make: Callable[..., Cell], **options: Any) -> tuple[Value, ...]:
    """A cell that is called as a layer."""
    check_rank(x, 2)
    return once(scope, make(scope, channels(x), **options), x, states)


LAYERS: Mapping[str, Make] = {
    "RNN": _rnn,
    "SimpleRNN": _of("SimpleRNNCell", "simple_rnn_cell"),
    "GRU": _of("GRUCell", "gru_cell"),
    "LSTM": _of("LSTMCell", "lstm_cell"),
    **{kind: partial(_cell, make=make) for kind, make in CELLS.items()},
}
