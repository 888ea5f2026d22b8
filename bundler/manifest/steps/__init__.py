"""Composed signatures: `[[signature]]` tables, whose steps are ops, calls of other signatures, and maps.

A module for each family of ops. A class has the parameters of an op, and those of its like; the functions that write
them into a graph are in `bundler.steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, get_args

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from bundler.manifest.fields import Method, Spec, Text
from bundler.manifest.steps import boxes, image, numbers, shapes
from bundler.manifest.steps.base import Names, OpStep, TypeText, parse_type

__all__ = ["ONLY", "OPS", "STEPS", "CallStep", "ComposedSpec", "MapStep", "OpStep", "Step", "parse_type"]

_FAMILIES = (image, boxes, numbers, shapes)

OPS: Mapping[str, type[OpStep]] = {
    op: step
    for family in _FAMILIES
    for step in (getattr(family, name) for name in family.__all__)
    for op in get_args(step.model_fields["op"].annotation)
}
"""The class of each op's parameters."""


def _kind(step: Any) -> str | None:
    """The kind of a step: `call`, `map`, or the name of an op; None if it has none."""
    if isinstance(step, (CallStep, MapStep)):
        return "call" if isinstance(step, CallStep) else "map"
    if isinstance(step, OpStep):
        return step.op
    if not isinstance(step, Mapping):
        return None
    kind = next((key for key in ("call", "map") if key in step), step.get("op"))
    return kind if isinstance(kind, str) else None


def _union(steps: Mapping[str, type[Spec]]) -> Any:
    """Any of these classes, by the kind of the step."""
    return Annotated[reduce(or_, (Annotated[step, Tag(kind)] for kind, step in steps.items())), Discriminator(_kind)]


ONLY = ""
"""The key of a `CallStep`'s `of` and `as` for the only input or output of the signature that it calls."""


def _by_name(value: Any) -> Any:
    """A text stands for the only input or output."""
    if not isinstance(value, (str, Mapping)):
        raise PydanticCustomError("value", "is no name", {"expected": "a string, or a table"})
    return {ONLY: value} if isinstance(value, str) else value


_ByName = Annotated[
    Mapping[str, Text],
    BeforeValidator(_by_name),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]}),
]


class CallStep(Spec):
    """A call of another signature of the bundle, which gives its outputs under their names."""

    call: Text = Field(description="The signature's key.")
    of: _ByName = Field(
        default={}, description="What it takes: a table by its inputs' names; a name if it has one input."
    )
    names: _ByName = Field(
        default={}, alias="as", description="Other names of its outputs: a table by their names; a name if it has one."
    )

    @property
    def label(self) -> str:
        """The step in a word."""
        return self.call


if TYPE_CHECKING:
    _MappedOp: TypeAlias = OpStep
else:
    _MappedOp = _union(OPS)


class MapStep(Spec):
    """Ops for one entry of the first dimension after the other.

    Each turn takes a batch of one, [1, …], and gives one; the results are joined along the first dimension.
    """

    map: tuple[_MappedOp, ...] = Field(min_length=1, description="Steps, without calls and maps.")
    of: Names = Field(default=(), description="What it takes. Default: what the step before gave.")
    names: Names = Field(default=(), alias="as", description="Names of what its last step gives.")

    @property
    def label(self) -> str:
        """The step in words."""
        return f"map of {', '.join(step.label for step in self.map)}"


STEPS: Mapping[str, type[Spec]] = {**OPS, "call": CallStep, "map": MapStep}
"""The class of each kind of step."""

Step: TypeAlias = "OpStep | CallStep | MapStep"

if TYPE_CHECKING:
    _AnyStep: TypeAlias = Step
else:
    _AnyStep = _union(STEPS)


class ComposedSpec(Spec):
    """A signature that is made of steps: what is around models, and models in a row."""

    key: Text = Field(description="The signature's name, unique in its MetaGraph.")
    inputs: Mapping[Text, TypeText] = Field(
        min_length=1,
        description="The type of each input, as `inspect` shows types: `string`, `string[?]`, `float32[1, ?, ?, 3]`.",
    )
    outputs: Annotated[tuple[Text, ...], Field(min_length=1)] = Field(
        description="Names of what steps give: the signature's outputs."
    )
    steps: tuple[_AnyStep, ...] = Field(
        min_length=1, description="Tables with `op`, `call` or `map`: see [STEPS.md](STEPS.md)."
    )
    method_name: Method = Field(
        default="tensorflow/serving/predict",
        description="TensorFlow Serving's method for it; `predict`, `classify` and `regress` are short forms.",
    )
    sample: _ByName = Field(
        default={},
        description="A file with a value for the input: `.npy`, `.npz`, `.json`, an image, or for a string input any"
        " file. Of several inputs an `.npz` file with an array for each, or a table of files by the inputs' names. A"
        " build runs the signature with it, and each step alone; `bundler verify` and the warm-up use it too.",
    )

    def files(self, folder: Path) -> dict[str, Path]:
        """The file of the sample for each input, by name; none without a sample. Relative paths start in a folder."""
        named = dict.fromkeys(self.inputs, self.sample[ONLY]) if ONLY in self.sample else self.sample
        return {name: folder / file for name, file in named.items()}
