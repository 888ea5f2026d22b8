"""Loops: a `StatelessWhile` whose condition and body are functions of the model's library.

https://github.com/tensorflow/tensorflow/blob/v2.19.0/tensorflow/core/ops/functional_ops.cc
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Generic, TypeAlias, TypeVar

from bundler.drafting.scope import Scope
from bundler.drafting.sketch import Sketch
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.ir.model import Function, Graph
from bundler.ir.nodes import Tensor, shape_proto
from bundler.ir.protos import FunctionDef, NameAttrList, OpDef
from bundler.ir.shapes import shown

__all__ = ["loop"]

_Scope = TypeVar("_Scope", bound=Scope)
_Turn: TypeAlias = "Callable[[_Scope, tuple[Value, ...]], tuple[Value, ...]]"
_ILLEGAL = re.compile("[^A-Za-z0-9_]")


def loop(scope: _Scope, variables: Sequence[Value], condition: _Turn[_Scope], body: _Turn[_Scope]) -> tuple[Value, ...]:
    """The variables when `condition` no longer holds, after `body` has given them new values turn by turn.

    Both are called once, with the scope of their function and a value for each variable; `condition` returns one bool.
    They may read values of the graph around them: each becomes a further variable of the loop, which keeps its value.
    A variable keeps its dtype and shape: one that grows has to begin with an unknown size.
    """
    ahead, turn = (_Draft(scope, name, variables) for name in ("condition", "body"))
    ahead.write(condition)
    turn.write(body)
    _check(variables, turn.results)
    captured = list({(value.reference, id(value.home)): value for value in (*turn.captured, *ahead.captured)}.values())
    given = [*variables, *captured]
    shapes = [value.shape for value in given]
    results = scope.outputs(
        "StatelessWhile",
        *given,
        shapes=shapes,
        name="While",
        cond=NameAttrList(name=ahead.finish(captured, keeps=False)),
        body=NameAttrList(name=turn.finish(captured, keeps=True)),
        output_shapes=[shape_proto(shape) for shape in shapes],
    )
    return results[: len(variables)]


class _Draft(Generic[_Scope]):
    """One of the two functions."""

    def __init__(self, around: _Scope, name: str, variables: Sequence[Value]) -> None:
        self._name = _ILLEGAL.sub("_", f"{around.name}_{name}")
        self._library = around.library
        self._sketch = Sketch(around.sketch)
        self._scope = replace(around, sketch=self._sketch)
        self._arguments = [self._sketch.argument(f"variable_{at}", value) for at, value in enumerate(variables)]
        self.results: tuple[Value, ...] = ()

    @property
    def captured(self) -> Sequence[Value]:
        return list(self._sketch.captured.values())

    def write(self, turn: _Turn[_Scope]) -> None:
        self.results = turn(self._scope, tuple(self._arguments))

    def finish(self, captured: Sequence[Value], keeps: bool) -> str:
        """Put the function into the library and return its name. It takes `captured` too, and gives it if it keeps."""
        kept = [self._sketch.own(value) for value in captured]
        results = [self._sketch.own(value) for value in self.results] + (kept if keeps else [])
        returns = {f"result_{at}": Tensor.parse(value.reference) for at, value in enumerate(results)}
        signature = OpDef(
            name=self._library.function_names(self._name),
            input_arg=[_argument(value.reference, value) for value in (*self._arguments, *kept)],
            output_arg=[_argument(name, value) for name, value in zip(returns, results)],
        )
        made = Function(FunctionDef(signature=signature), Graph(tuple(self._sketch.nodes)), returns)
        self._library.functions[signature.name] = made
        return str(signature.name)


def _argument(name: str, value: Value) -> OpDef.ArgDef:
    return OpDef.ArgDef(name=name, type=value.dtype.value)


def _check(variables: Sequence[Value], results: Sequence[Value]) -> None:
    for before, after in zip(variables, results, strict=True):
        if (before.shape, before.dtype) != (after.shape, after.dtype):
            found, expected = (f"{value.dtype} {shown(value.shape)}" for value in (after, before))
            raise ConversionError("a value changes its shape from step to step", found=found, expected=expected)
