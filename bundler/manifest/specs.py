"""The tables of a manifest: what each may hold. The descriptions of the fields are the reference of the format."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from bundler.manifest.clashes import DEFAULT_KEY
from bundler.manifest.faults import DIGEST, FILE_NAME, SCOPE
from bundler.manifest.fields import Method, Plain, Spec, Text

__all__ = ["KEYS", "BundleSpec", "Compat", "Document", "ModelSpec", "SignatureSpec", "keys_of"]


class Compat(str, Enum):
    """A further runtime that the graph must suit."""

    NONE = "none"
    TFJS = "tfjs"
    TFLITE = "tflite"


_MOST_DIMENSIONS = 254
"""TensorFlow's TensorShape::MaxDimensions (tensorflow/core/framework/tensor_shape.h)."""
_LONGEST_NAME = 200
"""Characters of a name that also names a folder: filesystems take 255 bytes, and files of the build add a suffix."""


_Shape = Annotated[
    tuple[Annotated[int, Field(ge=-1, le=(1 << 63) - 1, strict=True)], ...], Field(max_length=_MOST_DIMENSIONS)
]
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
        default=None, description="Writes `<output>/<version>`, the layout that TensorFlow Serving watches."
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
        " size; `auto` uses variables above 1 GiB.",
    )


class Document(Spec):
    """A bundle of TensorFlow.js models."""

    bundle: BundleSpec
    models: tuple[ModelSpec, ...] = Field(alias="model", min_length=1, description="The models, in the bundle's order.")


def keys_of(spec: type[BaseModel]) -> list[str]:
    """The keys that a table may have."""
    return [field.alias or name for name, field in spec.model_fields.items()]


KEYS = {
    (): [*keys_of(Document), "signature"],
    ("bundle",): keys_of(BundleSpec),
    ("model",): keys_of(ModelSpec),
    ("model", "signature"): keys_of(SignatureSpec),
}
"""The keys that a table may have, by the names that lead to it."""
