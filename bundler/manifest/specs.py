"""The tables of a manifest: what each may hold. The descriptions of the fields are the reference of the format."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from bundler.ir.shapes import MOST_DIMENSIONS, MOST_ELEMENTS, is_possible
from bundler.manifest.clashes import DEFAULT_KEY
from bundler.manifest.faults import DIGEST, FILE_NAME, SCOPE
from bundler.manifest.fields import Method, Plain, Spec, Text

__all__ = [
    "KEYS",
    "BundleSpec",
    "CheckSpec",
    "Compat",
    "Document",
    "InputSpec",
    "ModelSpec",
    "ServingSpec",
    "SignatureSpec",
    "keys_of",
]


class Compat(str, Enum):
    """A further runtime that the graph must suit."""

    NONE = "none"
    TFJS = "tfjs"
    TFLITE = "tflite"


_LONGEST_NAME = 200
"""Characters of a name that also names a folder: filesystems take 255 bytes, and files of the build add a suffix."""


def _check_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    if not is_possible(shape):
        raise PydanticCustomError("shape", "has too many elements")
    return shape


_Shape = Annotated[
    tuple[Annotated[int, Field(ge=-1, le=MOST_ELEMENTS, strict=True)], ...],
    Field(max_length=MOST_DIMENSIONS),
    AfterValidator(_check_shape),
]


def _check_value(value: object) -> object:
    if not isinstance(value, (bool, int, float, str)):
        raise PydanticCustomError("value", "is no value", {"expected": "a number, a string, true or false"})
    return value


_Value = Annotated[Any, AfterValidator(_check_value), WithJsonSchema({"type": ["boolean", "number", "string"]})]


def _check_range(value: tuple[float, float]) -> tuple[float, float]:
    if not -math.inf < value[0] <= value[1] < math.inf:
        raise PydanticCustomError("range", "is no range", {"expected": "[smallest, largest]"})
    return value


_Range = Annotated[tuple[float, float], AfterValidator(_check_range)]
_Tags = Annotated[tuple[Text, ...], Field(min_length=1)]


class SignatureSpec(Spec):
    """A signature: inputs and outputs of a model that callers use together."""

    key: Text = Field(description="The signature's name, unique in its MetaGraph.")
    outputs: Annotated[tuple[Text, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="Tensors (`n`), ports (`n:1`) or the model's own keys. Default: the model's own outputs.",
    )
    inputs: tuple[Text, ...] | None = Field(
        default=None, description="Tensors or the model's own keys. Default: the Placeholders that the outputs need."
    )
    rename: Mapping[str, Text] = Field(
        default={}, description="Public names of inputs and outputs, by tensor or the model's own key."
    )
    method_name: Method = Field(
        default="tensorflow/serving/predict",
        description="TensorFlow Serving's method for it; `predict`, `classify` and `regress` are short forms.",
    )


class ModelSpec(Spec):
    """A TensorFlow.js model of the bundle."""

    name: Annotated[str, Field(pattern=SCOPE, max_length=_LONGEST_NAME)] = Field(
        description="Unique over the bundle: the model's scope in the graph. Letters, digits and `_ . - /`."
    )
    source: Text = Field(
        description="The model: a folder with `model.json`, a `.json` file, a `.pb` file from before"
        " TensorFlow.js 1.0 (with its `weights_manifest.json` beside it), a `.zip` or `.tar.gz`"
        " (with `#path/inside`), `npm:<package>@<version>/<path>`, or an `https:` address of such a file."
        " Paths are relative to the manifest's folder."
    )
    digest: Annotated[str, StringConstraints(pattern=DIGEST, to_lower=True)] | None = Field(
        default=None,
        description="`sha256:` and 64 hexadecimal digits. A source of another digest is an error. Default: any digest.",
    )
    format: Literal["auto", "graph", "layers"] = Field(
        default="auto", description="Kind of TensorFlow.js model; `auto` reads it from the file."
    )
    compat: Compat | None = Field(default=None, description="Overrides the bundle's `compat` for this model.")
    shapes: Mapping[str, _Shape] = Field(
        default={},
        description="Shapes of inputs, by tensor or the model's own key; -1 is an unknown size. They fix sizes that the"
        " model leaves open, or open sizes that it fixes: if a batch of 1 becomes -1, the check runs two rows.",
    )
    allow_ops: tuple[Text, ...] = Field(
        default=(),
        description="Ops that TensorFlow.js does not run but this model may use: they are imported unchanged.",
    )
    tags: _Tags | None = Field(
        default=None,
        description='Tags of the model\'s MetaGraph: required with `layout = "tags"`, an error otherwise.',
    )
    signatures: tuple[SignatureSpec, ...] = Field(
        default=(),
        alias="signature",
        description="The model's signatures in the bundle. Default: the model's own signature, under the model's name"
        f" as key (`{DEFAULT_KEY}` if the MetaGraph holds no other model).",
    )


class BundleSpec(Spec):
    """The SavedModel that the models become."""

    name: Annotated[str, Field(pattern=FILE_NAME, max_length=_LONGEST_NAME)] = Field(
        description="The bundle's name, also that of the default output folder. Letters, digits and `_ . -`."
    )
    output: Annotated[Path, Plain] | None = Field(
        default=None,
        description="Folder to write, relative to the manifest's. Default: `dist/<name>` in the current folder.",
    )
    version: Annotated[int, Field(ge=1, le=(1 << 63) - 1, strict=True)] | None = Field(
        default=None,
        description="Writes `<output>/<version>`, the layout that TensorFlow Serving watches. `bundler build"
        " --release-version N` overrides it.",
    )
    layout: Literal["signatures", "tags"] = Field(
        default="signatures",
        description="`signatures`: one MetaGraph with many signatures; `tags`: one MetaGraph for each model.",
    )
    tags: _Tags = Field(default=("serve",), description='Tags of the MetaGraph, with `layout = "signatures"`.')
    compat: Compat = Field(
        default=Compat.NONE,
        description="A further runtime that the graph must suit. `tfjs`: TensorFlow.js, which has no int64 inputs;"
        " `tflite`: the converter of TFLite, with its builtin ops. A model may override it.",
    )
    weights: Literal["auto", "constants", "variables"] = Field(
        default="auto",
        description="`constants` in the graph, 2 GB at most, or trainable `variables` in a checkpoint beside it, of any"
        " size; `auto` uses variables above 512 MiB.",
    )
    object_graph: Literal["auto", "never"] = Field(
        default="auto",
        description="`auto`: a bundle of several models, or one with variables, also has an object graph, with which"
        " `tf.saved_model.load` takes a third of the time. `never`: the loaded object has `prune` and `graph`.",
    )


class InputSpec(Spec):
    """How random values of an input are drawn."""

    range: _Range | None = Field(
        default=None,
        description="The smallest and the largest value. Default: 0 to 1, or another range if that gives zeros only;"
        " 0 to 255 for whole numbers that may be an image, else 0 or 1.",
    )
    shape: Annotated[tuple[Annotated[int, Field(ge=0, le=1 << 31, strict=True)], ...], Field(max_length=32)] | None = (
        Field(
            default=None,
            description="The sizes of the values. Default: those of the signature, 1 row and 64 for other open sizes.",
        )
    )
    values: Annotated[tuple[_Value, ...], Field(min_length=1)] | None = Field(
        default=None, description="Values to draw from, in place of a range: strings, numbers, true and false."
    )


class CheckSpec(Spec):
    """Inputs of a signature, and perhaps the outputs that they must give: `bundler verify` compares."""

    signature: Text = Field(description="The signature's key.")
    model: Text | None = Field(
        default=None, description='The model\'s name. With `layout = "tags"` several signatures may have one key.'
    )
    file: Annotated[Path, Plain] | None = Field(
        default=None,
        description="A `.npz` file with arrays `inputs/<name>` and `outputs/<name>`, relative to the manifest's folder;"
        " `bundler verify --record` writes it.",
    )
    rtol: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        default=None,
        description="The largest error that is right, as a part of the output's largest absolute value. Default: 1e-4,"
        " and 0 for whole numbers.",
    )
    inputs: Mapping[str, InputSpec] = Field(
        default={}, description="How inputs are drawn, by name, if there is no `file` with inputs."
    )


class ServingSpec(Spec):
    """What TensorFlow Serving finds beside the graph."""

    warmup: Annotated[bool, Field(strict=True)] = Field(
        default=False,
        description="Writes requests that the server runs when it loads the bundle, so that the first caller does not"
        " wait: the inputs of each `[[check]]`, and for a signature without one zeros of its shape. Each is tried"
        " before the bundle is published.",
    )


class Document(Spec):
    """A bundle of TensorFlow.js models."""

    bundle: BundleSpec
    models: tuple[ModelSpec, ...] = Field(alias="model", min_length=1, description="The models, in the bundle's order.")
    checks: tuple[CheckSpec, ...] = Field(
        default=(), alias="check", description="What `bundler verify` gives to signatures, and expects of them."
    )
    serving: ServingSpec = Field(default=ServingSpec(), description="For TensorFlow Serving.")


def keys_of(spec: type[BaseModel]) -> list[str]:
    """The keys that a table may have."""
    return [field.alias or name for name, field in spec.model_fields.items()]


KEYS = {
    (): [*keys_of(Document), "signature"],
    ("bundle",): keys_of(BundleSpec),
    ("model",): keys_of(ModelSpec),
    ("model", "signature"): keys_of(SignatureSpec),
    ("check",): keys_of(CheckSpec),
    ("check", "inputs", "*"): keys_of(InputSpec),
    ("serving",): keys_of(ServingSpec),
}
"""The keys that a table may have, by the names that lead to it; `*` is any name."""
