"""The forms in which programs store a model; each is read as the document that a `model.json` is.

- `modelTopology` and `weightsManifest`: the form of files.
- `modelTopology`, `weightSpecs` and `weightData`: what the handlers of tf.io pass on (tfjs-core/src/io/types.ts,
  `ModelArtifacts`), written as JSON.
- `modelArtifacts`: a record of the IndexedDB (tfjs-core/src/io/indexed_db.ts).
- `tensorflowjs_models/<name>/…`: keys of the local storage (tfjs-core/src/io/local_storage.ts), or of the storage of an
  app (tfjs-react-native/src/async_storage_io.ts), which has all but the weights in one, and these perhaps in pieces.
- A graph from before 1.0: see `early`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bundler.artifacts import document as documents
from bundler.artifacts import early, foreign
from bundler.disk import files
from bundler.errors import SourceError

__all__ = ["Stored", "is_model", "read"]

_STORAGE = re.compile(
    "tensorflowjs_models/(.+)/(model_topology|weight_specs|model_metadata|model_without_weight|weight_data(?:[:/]\\d{1,9})?)",
    re.ASCII | re.DOTALL,
)
_BESIDE = ("{}.weights.bin", "weights.bin", "model.weights.bin")
"""Files of weights beside a model `{}.json`, as the handlers of tf.io name them."""
_LISTED = 10
_SHOWN = 60
_HINT = "`await model.save('downloads://model')` in the browser writes model.json and model.weights.bin"


@dataclass(frozen=True)
class Stored:
    """A model in the form of a `model.json`. `companions` are files that belong to the entry.

    `data` holds the bytes of all weights if the entry has them; the weightsManifest names no files then.
    """

    document: Mapping[str, Any] = field(repr=False)
    companions: tuple[str, ...] = ()
    data: bytes | None = field(default=None, repr=False)


def read(path: Path) -> Stored:
    """The model of an entry file. SourceError if it is none, or its weights are neither in the file nor beside it."""
    if path.suffix.lower() == ".pb":
        return Stored(early.read(path), (early.MANIFEST,))
    document = _document(path)
    if document.get("weightsManifest") is not None and not document.get("weightSpecs"):
        return Stored(document)
    found = _storage(document, path) or _artifacts(document, path)
    if not found.get("weightSpecs") or found.get("weightsManifest"):
        return Stored(found)
    return _with_manifest(found, path)


def is_model(document: Mapping[str, Any]) -> bool:
    """Whether a document looks like a model in one of the forms."""
    return bool(document.keys() & {"modelTopology", "modelArtifacts"}) or any(map(_STORAGE.fullmatch, document))


def _document(path: Path) -> Mapping[str, Any]:
    try:
        return documents.read(path)
    except SourceError as error:
        found = foreign.of_file(path)
        if found is None:
            raise
        raise SourceError(found.what, where=str(path), hint=found.hint) from error


def _artifacts(document: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """The artifacts of a document. Some programs store each of them as a string of JSON."""
    inner = document.get("modelArtifacts")
    found = inner if isinstance(inner, dict) and "modelTopology" not in document else document
    texts = {key: found[key] for key in ("modelTopology", "weightSpecs") if isinstance(found.get(key), str)}
    return {**found, **{key: documents.parse(text, path) for key, text in texts.items()}} if texts else found


# The local storage -------------------------------------------------------------------------------


def _storage(document: Mapping[str, Any], path: Path) -> Mapping[str, Any] | None:
    """The model among the entries of a page's local storage; None if there are no such entries."""
    models: dict[str, dict[str, Any]] = {}
    for key, value in document.items():
        parsed = _STORAGE.fullmatch(key)
        if parsed:
            models.setdefault(parsed[1], {})[parsed[2]] = value
    if not models:
        return None
    if len(models) > 1:
        found = ", ".join(map(files.spelled, list(models)[:_LISTED]))
        raise SourceError("holds several models", where=str(path), found=found, hint="keep the keys of one of them")
    ((name, parts),) = models.items()
    whole = _parsed(parts.get("model_without_weight"), path)
    if isinstance(whole, dict):
        return {**whole, "weightData": _weight_data(parts)}
    if "model_topology" not in parts:
        expected = f"the key {files.spelled(f'tensorflowjs_models/{name}/model_topology')}"
        raise SourceError("the model has no topology", where=str(path), expected=expected)
    metadata = _parsed(parts.get("model_metadata"), path)
    return {
        **(metadata if isinstance(metadata, dict) else {}),
        "modelTopology": _parsed(parts["model_topology"], path),
        "weightSpecs": _parsed(parts.get("weight_specs"), path),
        "weightData": _weight_data(parts),
    }


def _weight_data(parts: Mapping[str, Any]) -> object:
    """The value of weightData: one entry, or several pieces that are joined."""
    pieces = {key: value for key, value in parts.items() if re.match("weight_data[:/]", key)}
    if "weight_data" in parts or not all(isinstance(piece, str) for piece in pieces.values()):
        return parts.get("weight_data")
    return "".join(pieces[key] for key in sorted(pieces, key=lambda key: int(key[len("weight_data:") :]))) or None


def _parsed(value: object, path: Path) -> object:
    """A value of the storage; JSON is stored as text."""
    return documents.parse(value, path) if isinstance(value, str) else value


# weightSpecs and weightData ----------------------------------------------------------------------


def _with_manifest(artifacts: Mapping[str, Any], path: Path) -> Stored:
    """The document with a weightsManifest in place of its weightSpecs."""
    if not isinstance(artifacts["weightSpecs"], list):
        raise SourceError("weightSpecs is malformed", where=str(path), expected="a list of weights")
    data = _data(artifacts.get("weightData"), path)
    paths = [] if data is not None else [_beside(path)]
    rest = {key: value for key, value in artifacts.items() if key not in ("weightSpecs", "weightData")}
    return Stored({**rest, "weightsManifest": [{"paths": paths, "weights": artifacts["weightSpecs"]}]}, (), data)


def _beside(path: Path) -> str:
    """The name of the file of weights beside an entry. SourceError if there is none."""
    names = [name.format(path.name.removesuffix(path.suffix)) for name in _BESIDE]
    found = next((name for name in names if files.mode(path.with_name(name))), None)
    if found is None:
        raise SourceError(
            "the weights are missing: the file has weightSpecs, but no weightData",
            where=str(path),
            expected=f"weightData in base64, or a file {' or '.join(dict.fromkeys(names))} beside it",
            hint=_HINT,
        )
    return found


def _data(value: object, path: Path) -> bytes | None:
    """The bytes of `weightData`; None if it is empty. JSON has no ArrayBuffer, so programs encode it variously."""
    if not value and value != "":
        return None  # JSON.stringify makes {} of an ArrayBuffer
    try:
        return _bytes(value)
    except (KeyError, RecursionError, TypeError, ValueError):
        raise SourceError(
            "weightData is malformed",
            where=str(path),
            found=f"{str(value)[:_SHOWN]!r}",
            expected="base64, or a list of bytes",
            hint=_HINT,
        ) from None


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return _base64(value)
    if isinstance(
        value, dict
    ):  # of a Uint8Array: {"0": 1, "1": 2}; of Node's Buffer: {"type": "Buffer", "data": [1, 2]}
        return _bytes(value["data"]) if "data" in value else bytes(value[str(index)] for index in range(len(value)))
    if not value or isinstance(value[0], int):
        return bytes(value)
    return b"".join(map(_bytes, value))  # large models have parts


def _base64(text: str) -> bytes:
    """Bytes from base64 of either alphabet, with or without padding, spaces, or the header of a data URL."""
    plain = re.sub(r"\s+", "", re.sub(r"\Adata:[^,]{0,100};base64,", "", text)).rstrip("=")
    plain = plain.translate({ord("-"): "+", ord("_"): "/"})
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
