"""Cells: one step of a recurrent layer.

Sources: tfjs-layers/src/layers/recurrent.ts, https://github.com/keras-team/tf-keras/tree/v2.19.0/tf_keras/src/layers/rnn,
`keras/src/layers/rnn` of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import NamedTuple, TypeAlias

from bundler.drafting.tensors import split
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.ir.nodes import Shape
from bundler.tfjs.layers.description import Layer, Part
from bundler.tfjs.layers.graph.scope import Scope
from bundler.tfjs.layers.kinds.activations import activate
from bundler.tfjs.layers.kinds.core import matmul

__all__ = ["CELLS", "Cell", "States", "cell_of", "lstm_step"]

States: TypeAlias = "tuple[Value, ...]"


class Cell(NamedTuple):
    """One step of a recurrent layer, with its weights.

    `states` has the last dimension of each state, `size` that of the output. `read` computes what a step needs of its
    input alone, for one step or for all at once: it keeps the axes in front. `step` returns the output and the next
    states.
    """

    states: tuple[int, ...]
    size: int
    read: Callable[[Scope, Value], Value]
    step: Callable[[Scope, Value, States], tuple[Value, States]]

    def at(self, name: str) -> Cell:
        """The same cell, which writes its nodes as a part of this name."""
        return self._replace(
            read=lambda scope, x: self.read(scope.inside(name), x),
            step=lambda scope, x, states: self.step(scope.inside(name), x, states),
        )


Make: TypeAlias = "Callable[..., Cell]"
"""A cell: `(scope, size of the input, **options)`."""


def cell_of(scope: Scope, part: Part, size: int, default: str) -> Cell:
    """The cell that an option of a layer holds, for inputs of this size; `default` is its name if it has none."""
    assert isinstance(part, Layer)
    name = part.name or default
    return CELLS[part.kind](scope.inside(name), size, **part.options).at(name)


class _Weights(NamedTuple):
    kernel: Value
    recurrent: Value
    bias: Value | None

    def read(self, scope: Scope, x: Value) -> Value:
        """The input's share in all gates."""
        return _biased(scope, matmul(scope, x, self.kernel), self.bias)


def _weights(scope: Scope, size: int, units: int, gates: int, bias: Shape | None) -> _Weights:
    kernel = scope.weight("kernel", (size, gates * units))
    recurrent = scope.weight("recurrent_kernel", (units, gates * units))
    return _Weights(kernel, recurrent, None if bias is None else scope.weight("bias", bias))


def _biased(scope: Scope, x: Value, bias: Value | None) -> Value:
    return x if bias is None else scope.op("BiasAdd", x, bias, shape=x.shape)


# The cells ---------------------------------------------------------------------------------------


def _simple(scope: Scope, size: int, *, units: int, activation: str | Part, use_bias: bool, **_: object) -> Cell:
    weights = _weights(scope, size, units, 1, (units,) if use_bias else None)

    def step(scope: Scope, x: Value, states: States) -> tuple[Value, States]:
        output = activate(scope, scope.op("AddV2", x, matmul(scope, states[0], weights.recurrent)), activation)
        return output, (output,)

    return Cell((units,), units, weights.read, step)


def _lstm(
    scope: Scope,
    size: int,
    *,
    units: int,
    activation: str | Part,
    recurrent_activation: str | Part,
    use_bias: bool,
    **_: object,
) -> Cell:
    weights = _weights(scope, size, units, 4, (4 * units,) if use_bias else None)

    def step(scope: Scope, x: Value, states: States) -> tuple[Value, States]:
        gates = scope.op("AddV2", x, matmul(scope, states[0], weights.recurrent))
        return lstm_step(scope, gates, states[1], activation, recurrent_activation)

    return Cell((units, units), units, weights.read, step)


def lstm_step(
    scope: Scope, gates: Value, carry: Value, activation: str | Part, recurrent_activation: str | Part
) -> tuple[Value, States]:
    """The output and the next states of an LSTM; its four gates stand side by side on the last axis."""
    enter, forget, candidate, leave = split(scope, gates, 4, -1)
    kept = scope.op("Mul", activate(scope, forget, recurrent_activation), carry)
    added = scope.op("Mul", activate(scope, enter, recurrent_activation), activate(scope, candidate, activation))
    carry = scope.op("AddV2", kept, added)
    output = scope.op("Mul", activate(scope, leave, recurrent_activation), activate(scope, carry, activation))
    return output, (output, carry)


class _Gru(NamedTuple):
    """What both forms of a GRU share."""

    activation: str | Part
    recurrent_activation: str | Part

    def gate(self, scope: Scope, x: Value, h: Value) -> Value:
        return activate(scope, scope.op("AddV2", x, h), self.recurrent_activation)

    def next(self, scope: Scope, update: Value, h: Value, candidate: Value) -> tuple[Value, States]:
        """The state as far as the update gate is open, the candidate for the rest."""
        new = activate(scope, candidate, self.activation)
        kept, added = scope.op("Mul", update, h), scope.op("Mul", scope.op("Sub", 1, update), new)
        output = scope.op("AddV2", kept, added)
        return output, (output,)


def _gru(
    scope: Scope,
    size: int,
    *,
    units: int,
    activation: str | Part,
    recurrent_activation: str | Part,
    use_bias: bool,
    reset_after: bool,
    **_: object,
) -> Cell:
    shape = (2, 3 * units) if reset_after else (3 * units,)
    weights = _weights(scope, size, units, 3, shape if use_bias else None)
    make = _reset_after if reset_after else _reset_before
    return make(scope, weights, _Gru(activation, recurrent_activation), units)


def _reset_after(scope: Scope, weights: _Weights, gru: _Gru, units: int) -> Cell:
    """The reset gate acts on the product of state and matrix, as in cuDNN; the state has a bias of its own."""
    bias = recurrent_bias = None
    if weights.bias is not None:
        bias, recurrent_bias = scope.outputs("Unpack", weights.bias, shapes=[(3 * units,)] * 2, num=2, axis=0)

    def step(scope: Scope, x: Value, states: States) -> tuple[Value, States]:
        (h,) = states
        inner = _biased(scope, matmul(scope, h, weights.recurrent), recurrent_bias)
        (x_update, x_reset, x_new), (h_update, h_reset, h_new) = split(scope, x, 3, -1), split(scope, inner, 3, -1)
        update, reset = gru.gate(scope, x_update, h_update), gru.gate(scope, x_reset, h_reset)
        return gru.next(scope, update, h, scope.op("AddV2", x_new, scope.op("Mul", reset, h_new)))

    return Cell((units,), units, weights._replace(bias=bias).read, step)


def _reset_before(scope: Scope, weights: _Weights, gru: _Gru, units: int) -> Cell:
    """The reset gate acts on the state."""
    of_update, of_reset, of_new = split(scope, weights.recurrent, 3, -1)

    def step(scope: Scope, x: Value, states: States) -> tuple[Value, States]:
        (h,) = states
        x_update, x_reset, x_new = split(scope, x, 3, -1)
        update = gru.gate(scope, x_update, matmul(scope, h, of_update))
        reset = gru.gate(scope, x_reset, matmul(scope, h, of_reset))
        new = matmul(scope, scope.op("Mul", reset, h), of_new)
        return gru.next(scope, update, h, scope.op("AddV2", x_new, new))

    return Cell((units,), units, weights.read, step)


# Stacks ------------------------------------------------------------------------------------------


def _stacked(scope: Scope, size: int, *, cells: tuple[Part, ...]) -> Cell:
    """Cells that read each other's outputs. TensorFlow.js has the states of the last cell first."""
    if not cells:
        raise ConversionError("a stack of no cells")
    built = list(_chained(scope, size, cells))
    backwards = scope.origin.stacks_states_backwards
    order = built[::-1] if backwards else built

    def step(scope: Scope, x: Value, states: States) -> tuple[Value, States]:
        own = _dealt(states, [len(cell.states) for cell in order])
        after: list[States] = []
        for number, (cell, before) in enumerate(zip(built, own[::-1] if backwards else own)):
            x, states = cell.step(scope, cell.read(scope, x) if number else x, before)
            after.append(states)
        return x, tuple(chain(*(after[::-1] if backwards else after)))

    return Cell(tuple(chain(*(cell.states for cell in order))), built[-1].size, built[0].read, step)


def _chained(scope: Scope, size: int, cells: Sequence[Part]) -> Iterator[Cell]:
    for number, part in enumerate(cells):
        cell = cell_of(scope, part, size, f"cell_{number}")
        yield cell
        size = cell.size


def _dealt(states: States, counts: Sequence[int]) -> list[States]:
    """The states in groups of these sizes."""
    rest = iter(states)
    return [tuple(islice(rest, count)) for count in counts]


CELLS: Mapping[str, Make] = {
    "SimpleRNNCell": _simple,
    "GRUCell": _gru,
    "LSTMCell": _lstm,
    "StackedRNNCells": _stacked,
}
