"""What is in there: a TensorFlow.js model, a manifest or a SavedModel, told as a Report."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bundler import manifest, sources, tfjs
from bundler.errors import SourceError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, Shape, attr, shape_of, shape_proto
from bundler.ir.protos import SavedModel
from bundler.outputs.savedmodel import FILE, read_signatures
from bundler.report import ModelReport, Report, SignatureReport
from bundler.verbs import pipeline

__all__ = ["inspect"]


def inspect(path: Path) -> Report:
    """Signatures, ops and weights of what lies at a path, told apart by what it is.

    Raises a BundlerError when it is none of the three.
    """
    if path.suffix == ".toml":
        return pipeline.check(manifest.read(path))
    if (path / FILE).is_file() or path.name == FILE:
        return _of_saved_model(path if path.is_dir() else path.parent)
    return _of_model(path)


def _of_model(path: Path) -> Report:
    artifact = sources.fetch(str(path), Path())
    model = tfjs.read(artifact)
    signatures = [
        SignatureReport.of(key or artifact.entry, signature, artifact.entry)
        for key, signature in model.signatures.items()
    ]
    nodes = [node for graph in model.graphs for node in graph.nodes]
    size = sum(artifact.path(name).stat().st_size for name in artifact.files)
    described = _describe(artifact.entry, str(path), artifact.digest, nodes, model.weight_bytes, model.notes)
    return _report(artifact.entry, signatures, [described], size)


def _of_saved_model(folder: Path) -> Report:
    saved = SavedModel()
    try:
        saved.ParseFromString((folder / FILE).read_bytes())
    except Exception as error:
        # protobuf's DecodeError has a home of its own in each of its implementations.
        raise SourceError("this is no SavedModel", where=str(folder / FILE), found=str(error)) from None
    signatures: list[SignatureReport] = []
    models: list[ModelReport] = []
    for metagraph in saved.meta_graphs:
        graph = metagraph.graph_def
        bodies = [function.node_def for function in graph.library.function]
        nodes = [Node.of(message) for messages in (graph.node, *bodies) for message in messages]
        tags = ", ".join(sorted(metagraph.meta_info_def.tags))
        found = read_signatures(metagraph).items()
        signatures += [SignatureReport.of(key, signature, tags) for key, signature in found]
        models.append(_describe(tags, str(folder), "", nodes, sum(map(_weight_bytes, nodes))))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return _report(folder.name, signatures, models, size)


def _describe(
    name: str, source: str, digest: str, nodes: Iterable[Node], weight_bytes: int, notes: tuple[str, ...] = ()
) -> ModelReport:
    ops = Counter(node.op for node in nodes)
    return ModelReport(name, source, digest, sum(ops.values()), weight_bytes, dict(sorted(ops.items())), notes)


def _weight_bytes(node: Node) -> int:
    """What a constant or a variable holds."""
    if node.op == "VarHandleOp":
        return _variable_bytes(attr(node, "dtype"), shape_of(attr(node, "shape", shape_proto(None))))
    if node.op != "Const":
        return 0
    tensor = node.attr["value"].tensor
    return (
        len(tensor.tensor_content) or tensor.ByteSize() if tensor.dtype == DType.string else len(tensor.tensor_content)
    )


def _variable_bytes(dtype: DType, shape: Shape | None) -> int:
    """The size of a variable of numbers whose shape is known; else 0, as its value decides."""
    if shape is None or None in shape or not dtype.is_number:
        return 0
    return math.prod(size or 0 for size in shape) * dtype.numpy.itemsize


def _report(name: str, signatures: Iterable[SignatureReport], models: Iterable[ModelReport], size: int) -> Report:
    return Report(None, name, tuple(signatures), tuple(models), (), size)
