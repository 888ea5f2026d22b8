"""What the user writes: the manifest of a bundle.

A manifest is a TOML file with one `[bundle]`, a `[[model]]` for each TensorFlow.js model and, where
the model's own signature will not do, `[[model.signature]]` tables. The descriptions below are the
reference: `schema()` hands them to editors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import tomli
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from bundler.errors import Fault, ManifestError, closest
from bundler.manifest.clashes import DEFAULT_KEY, clashes
from bundler.manifest.faults import DIGEST, FILE_NAME, SCOPE, shape_faults

__all__ = ["BundleSpec", "Compat", "Manifest", "ModelSpec", "SignatureSpec", "of", "read", "read_all", "schema"]


class Compat(str, Enum):
    """What else the bundle's graph must agree with."""

    NONE = "none"
    TFJS = "tfjs"
    TFLITE = "tflite"


_METHODS = {method: f"tensorflow/serving/{method}" for method in ("predict", "classify", "regress")}

_LARGEST = 1 << 24
"""Bytes of a manifest. A larger file is something else."""
_MOST_DIMENSIONS = 254
"""TensorFlow's TensorShape::MaxDimensions (tensorflow/core/framework/tensor_shape.h)."""
_LONGEST_NAME = 200
"""Characters of a name that also names a folder: filesystems take 255 bytes, and what is built has more in its name."""


def _check_nul(value: _Named) -> _Named:
    if "\0" in str(value):
        raise PydanticCustomError("nul", "has a NUL character")
    return value


_Named = TypeVar("_Named", str, Path)
_Plain = AfterValidator(_check_nul)
"""No NUL: the system takes it for the end of a path, and TensorFlow's C API for the end of a name."""

_Text = Annotated[str, Field(min_length=1), _Plain]
_Shape = Annotated[
    tuple[Annotated[int, Field(ge=-1, le=(1 << 63) - 1, strict=True)], ...], Field(max_length=_MOST_DIMENSIONS)
]
_Tags = Annotated[tuple[_Text, ...], Field(min_length=1)]
_Method = Annotated[
    Literal[
        "predict",
        "classify",
        "regress",
        "tensorflow/serving/predict",
        "tensorflow/serving/classify",
        "tensorflow/serving/regress",
    ],
    AfterValidator(lambda method: _METHODS.get(method, method)),
]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SignatureSpec(_Spec):
    """One thing that a caller may ask of a model."""

    key: _Text = Field(description="The signature's name, unique in its MetaGraph.")
    outputs: Annotated[tuple[_Text, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="Tensors (`n`), ports (`n:1`) or the model's own keys. Default: the model's own outputs.",
    )
    inputs: tuple[_Text, ...] | None = Field(
        default=None, description="Tensors or the model's own keys. Default: the Placeholders that the outputs need."
    )
    rename: Mapping[str, _Text] = Field(
        default={}, description="Public names, by the tensor or the model's own key that they stand for."
    )
    method_name: _Method = Field(
        default="tensorflow/serving/predict",
        description="How TensorFlow Serving may call it; `predict`, `classify` and `regress` are the short forms.",
    )


class ModelSpec(_Spec):
    """One TensorFlow.js model of the bundle."""

    name: Annotated[str, Field(pattern=SCOPE, max_length=_LONGEST_NAME)] = Field(
        description="Unique over the bundle: the model's scope in the graph. Letters, digits and `_ . - /`."
    )
    source: _Text = Field(
        description="Where the model is: a folder with `model.json`, a `.json` file, a `.pb` file from before"
        " TensorFlow.js 1.0 (with its `weights_manifest.json` beside it), a `.zip` or `.tar.gz`"
        " (with `#path/inside`), `npm:<package>@<version>/<path>`, or an `https:` address of such a file."
        " Paths are relative to the manifest's folder."
    )
    digest: Annotated[str, StringConstraints(pattern=DIGEST, to_lower=True)] | None = Field(
        default=None, description="`sha256:` and 64 hexadecimal digits. Checked when given."
    )
    format: Literal["auto", "graph", "layers"] = Field(
        default="auto", description="Kind of TensorFlow.js model; `auto` reads it from the file."
    )
    compat: Compat | None = Field(default=None, description="Overrides the bundle's `compat` for this model.")
    shapes: Mapping[str, _Shape] = Field(
        default={},
        description="Shapes of inputs, by tensor or the model's own key; -1 is a size that is not known. They fix sizes"
        " that the model leaves open, or open those that it fixes: if a batch of 1 becomes -1, two rows are tried.",
    )
    allow_ops: tuple[_Text, ...] = Field(
        default=(),
        description="Ops of TensorFlow that TensorFlow.js does not run, and that this model may use all the same:"
        " they are imported as they stand.",
    )
    tags: _Tags | None = Field(
        default=None,
        description='Tags of the model\'s MetaGraph: required with `layout = "tags"`, an error otherwise.',
    )
    signatures: tuple[SignatureSpec, ...] = Field(
        default=(),
        alias="signature",
        description="What callers may ask of the model. Default: the model's own signature, under the model's name"
        f" as key (`{DEFAULT_KEY}` where the MetaGraph holds no other model).",
    )


class BundleSpec(_Spec):
    """What is made of the models."""

    name: Annotated[str, Field(pattern=FILE_NAME, max_length=_LONGEST_NAME)] = Field(
        description="The bundle's name, also that of the default output folder. Letters, digits and `_ . -`."
    )
    output: Annotated[Path, _Plain] | None = Field(
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
        description="What else the graph must agree with: `tfjs` or `tflite`; a model may override it.",
    )
    weights: Literal["auto", "constants", "variables"] = Field(
        default="auto",
        description="`constants` in the graph, 2 GB at most, or trainable `variables` in a checkpoint beside it, of any"
        " size; `auto` takes variables for weights of more than 1 GB.",
    )


class _Document(_Spec):
    """A bundle of TensorFlow.js models."""

    bundle: BundleSpec
    models: tuple[ModelSpec, ...] = Field(alias="model", min_length=1, description="The models, in the bundle's order.")


@dataclass(frozen=True)
class Manifest:
    """A manifest that holds together, and the file it was read from."""

    path: Path
    bundle: BundleSpec
    models: tuple[ModelSpec, ...]

    @property
    def folder(self) -> Path:
        """Where relative paths of the manifest start."""
        return self.path.parent

    @property
    def digest(self) -> str:
        """The sha256, in hex, of all that the bundle's bytes depend on: not of where it is written."""
        bundle = self.bundle.model_copy(update={"output": None, "version": None})
        parts = [bundle.model_dump_json(), *map(_dump, self.models)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def output(self, override: Path | None = None) -> Path:
        """The folder to write: `override` as it is, else as the manifest says; then the version."""
        named = self.folder / self.bundle.output if self.bundle.output else Path("dist", self.bundle.name)
        chosen = named if override is None else override
        return chosen / str(self.bundle.version) if self.bundle.version else chosen

    def compat(self, model: ModelSpec) -> Compat:
        """The model's own choice, else the bundle's."""
        return model.compat or self.bundle.compat

    def signatures(self, model: ModelSpec) -> tuple[SignatureSpec, ...]:
        """Those that the manifest gives the model, else one that stands for the model's own."""
        return model.signatures or (SignatureSpec(key=self._default_key(model)),)

    def _default_key(self, model: ModelSpec) -> str:
        # A model alone in its MetaGraph can have the key that servers and loaders try first. Two
        # cannot share it, and the manifest should not choose one of them by its position.
        alone = len(self.models) == 1 or self.bundle.layout == "tags"
        return DEFAULT_KEY if alone else model.name


def _dump(model: ModelSpec) -> str:
    """A model in one line; keys that later versions brought are left out where they say nothing."""
    return model.model_dump_json(exclude=set() if model.shapes else {"shapes"})


def read(path: Path) -> Manifest:
    """The manifest in a TOML file. ManifestError with everything that is wrong with it."""
    return of(_parse(path), path)


def of(document: Mapping[str, object], path: Path) -> Manifest:
    """The manifest in a document of TOML's types, whether or not `path` is a file. ManifestError as for `read`."""
    faults = [*_shape_faults(document), *clashes(document)]
    if faults:
        raise ManifestError.of(fault.inside(str(path)) for fault in faults)
    checked = _Document.model_validate(document)
    return Manifest(path, checked.bundle, checked.models)


def read_all(paths: Iterable[Path]) -> list[Manifest]:
    """Several manifests. ManifestError with what is wrong in any of them, two with one output included."""
    outcomes = [_attempt(path) for path in paths]
    manifests = [outcome for outcome in outcomes if isinstance(outcome, Manifest)]
    faults = [fault for outcome in outcomes if isinstance(outcome, ManifestError) for fault in outcome.faults]
    faults += _same_outputs(manifests)
    if faults:
        raise ManifestError.of(faults)
    return manifests


def schema() -> JsonSchemaValue:
    """The JSON Schema (draft 2020-12) of a manifest."""
    made = _Document.model_json_schema(schema_generator=_TomlSchema)
    return {"$schema": _TomlSchema.schema_dialect, **made, "title": "Manifest"}


class _TomlSchema(GenerateJsonSchema):
    """TOML has no null: what may be left out is not "or null"."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {key: value for key, value in made.items() if (key, value) != ("default", None)}

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def _parse(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ManifestError("is too large for a manifest", where=str(path), expected=f"at most {_LARGEST:,} bytes")
        # Editors on Windows may begin a file with a byte order mark, which TOML does not know.
        return tomli.loads(content.decode("utf-8-sig"))
    except FileNotFoundError as error:
        near = closest(path.name, (file.name for file in path.parent.glob("*.toml")))
        raise ManifestError(error.strerror or str(error), where=str(path), hint=near) from None
    except OSError as error:
        raise ManifestError(error.strerror or str(error), where=str(path)) from None
    except UnicodeDecodeError as error:
        raise ManifestError("is not UTF-8 text", where=f"{path}: byte {error.start}") from None
    except tomli.TOMLDecodeError as error:
        raise ManifestError(error.msg, where=f"{path}: line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise ManifestError("is nested too deeply", where=str(path)) from None
    except ValueError:
        raise ManifestError("an integer has more digits than Python reads", where=str(path)) from None


def _shape_faults(document: Mapping[str, object]) -> list[Fault]:
    try:
        _Document.model_validate(document)
    except ValidationError as error:
        return shape_faults(error, _KEYS)
    return []


def _attempt(path: Path) -> Manifest | ManifestError:
    try:
        return read(path)
    except ManifestError as error:
        return error


def _same_outputs(manifests: Iterable[Manifest]) -> Iterator[Fault]:
    first: dict[Path, Manifest] = {}
    for manifest in manifests:
        earlier = first.setdefault(manifest.output().resolve(), manifest)
        if earlier is not manifest:
            yield Fault(f"writes the folder that {earlier.path} writes", str(manifest.path), str(manifest.output()))


def _keys(spec: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in spec.model_fields.items()]


_KEYS = {
    (): _keys(_Document),
    ("bundle",): _keys(BundleSpec),
    ("model",): _keys(ModelSpec),
    ("model", "signature"): _keys(SignatureSpec),
}
