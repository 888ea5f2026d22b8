"""What the file of a model says about itself: its kind, the programs that wrote it, its signature, its weights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bundler.artifacts.artifact import Artifact
from bundler.ir.model import Model
from bundler.report import ModelReport, Rewritten
from bundler.report.census import Census
from bundler.tfjs import fields
from bundler.tfjs.fields import Json

__all__ = ["About", "about", "model_report"]

_SHOWN = 80
"""Characters of a program's name that are kept."""


class About(NamedTuple):
    """`format` is "graph" or "layers"; `written_by` names programs and their versions, empty if the file does not.

    `signature_from` is the place of the signature: a key of the file, "layers", or "graph" if the file has none and
    TensorFlow.js takes Placeholders and the nodes that no other node reads. `stored` counts the weights by the dtype
    of their bytes: uint8, uint16 and float16 are quantized.
    """

    format: str
    written_by: str
    signature_from: str
    stored: Mapping[str, int]


def about(artifact: Artifact) -> About:
    """What is known of a model that `tfjs.read` has read."""
    document = artifact.document
    topology = fields.loose(document, "modelTopology")
    if "node" in topology:
        return About("graph", ", ".join(_graph_writers(document)), _declared_in(document), _stored(document))
    return About("layers", ", ".join(_layers_writers(document, topology)), "layers", _stored(document))


def model_report(name: str, source: str, digest: str, model: Model, about: About, census: Census) -> ModelReport:
    """The report of a model whose notes and changes are those of `model`."""
    return ModelReport(
        name=name,
        source=source,
        digest=digest,
        nodes=census.nodes,
        weight_bytes=census.weight_bytes,
        ops=census.ops,
        notes=model.notes,
        format=about.format,
        written_by=about.written_by,
        signature_from=about.signature_from,
        stored=about.stored,
        rewritten=tuple(Rewritten(*change) for change in model.changes),
    )


def _graph_writers(document: Json) -> Iterator[str]:
    """`generatedBy` is the version of TensorFlow, `convertedBy` the name of the converter with its version."""
    generated = _text(document.get("generatedBy"))
    if generated:
        yield f"TensorFlow {generated}" if re.match(r"\d+\.\d", generated) else generated
    converted = _text(document.get("convertedBy"))
    if converted and converted != generated:
        yield converted


def _layers_writers(document: Json, topology: Json) -> Iterator[str]:
    from bundler.tfjs.layers.origins import origin_of  # late: fifty modules that a graph model does not need

    version = _text(topology.get("keras_version")).removeprefix("tfjs-layers").strip()
    yield f"{origin_of(topology).name} ({version})" if version else origin_of(topology).name
    converted = _text(document.get("convertedBy"))
    if converted:
        yield converted


def _text(value: object) -> str:
    return value[:_SHOWN] if isinstance(value, str) else ""


def _declared_in(document: Json) -> str:
    """The key with the signature, by the rules of `signatures.declared_signature`."""
    metadata = fields.loose(document, "userDefinedMetadata")
    if metadata.get("signature") is not None:
        return "userDefinedMetadata.signature"
    return "signature" if fields.loose(document, "signature") else "graph"


def _stored(document: Json) -> Mapping[str, int]:
    groups = fields.tables(document, "weightsManifest")
    weights = [weight for group in groups for weight in fields.tables(group, "weights")]
    return dict(sorted(Counter(map(_stored_dtype, weights)).items()))


def _stored_dtype(weight: Json) -> str:
    quantized = fields.loose(weight, "quantization").get("dtype")
    return _text(quantized if quantized is not None else weight.get("dtype"))
