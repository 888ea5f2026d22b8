"""A composed signature, step by step, by other means than its graph: the plan says what goes where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from bundler.compose.names import INPUTS, Ref
from bundler.compose.plan import Act, Plan
from bundler.manifest.steps import CallStep, MapStep, OpStep

__all__ = ["Means", "Op", "evaluate", "results"]

Op: TypeAlias = "Callable[[OpStep, Sequence[np.ndarray], np.ndarray | None], Sequence[np.ndarray]]"
Call: TypeAlias = "Callable[[str, Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]"


class Means(NamedTuple):
    """What computes an op of its values and of that named by `like`, and a signature by its key of its inputs."""

    op: Op
    call: Call


def evaluate(plan: Plan, inputs: Sequence[np.ndarray], means: Means) -> dict[str, np.ndarray]:
    """The outputs of a plan by name, for the values of the signature's inputs in the manifest's order."""
    values = _run(plan.acts, inputs, means)
    return {name: values[ref] for name, ref in plan.outputs.items()}


def _run(acts: Sequence[Act], inputs: Sequence[np.ndarray], means: Means) -> dict[Ref, np.ndarray]:
    """What all acts give."""
    values = {Ref(INPUTS, at): value for at, value in enumerate(inputs)}
    for number, act in enumerate(acts):
        like = None if act.like is None else values[act.like]
        given = results(act, [values[ref] for ref in act.reads], like, means)
        values |= {Ref(number, at): value for at, value in enumerate(given)}
    return values


def results(act: Act, given: Sequence[np.ndarray], like: np.ndarray | None, means: Means) -> Sequence[np.ndarray]:
    """What one act gives for the values that it reads."""
    if isinstance(act.step, CallStep):
        found = means.call(act.step.call, dict(zip(act.inputs, given)))
        return [found[name] for name in act.outputs]
    if isinstance(act.step, MapStep):
        return _mapped(act.inside, given, means)
    return means.op(act.step, given, like)


def _mapped(acts: Sequence[Act], given: Sequence[np.ndarray], means: Means) -> Sequence[np.ndarray]:
    """The results of one entry after the other, joined along the first dimension."""
    last = len(acts) - 1
    turns = [_run(acts, [value[at : at + 1] for value in given], means) for at in range(len(given[0]))]
    made = [[turn[ref] for ref in turn if ref.step == last] for turn in turns]
    return [np.concatenate(parts) for parts in zip(*made)]
