"""`inspect`: what is in a TensorFlow.js model, a manifest or a SavedModel."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bundler import sources, tfjs
from bundler.bundle.reading import read
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, Shape, attr, shape_of, shape_proto
from bundler.ir.protos import MetaGraphDef
from bundler.outputs.savedmodel import FILE, read_signatures
from bundler.report import Entries, ModelReport, Report, SignatureReport
from bundler.verbs.check import check

__all__ = ["inspect"]


def inspect(source: str | os.PathLike[str]) -> Report:
    """The signatures, ops and weights of a manifest (`.toml`), a SavedModel, or a model by any source of a manifest.

    Of a SavedModel, each MetaGraph is a model of the report, named by its tags. Raises BundlerError.
    """
    path = Path(source)
    if path.suffix == ".toml":
        return check(path)
    if (path / FILE).is_file() or path.name == FILE:
        return _of_saved_model(path if path.is_dir() else path.parent)
    return _of_model(os.fspath(source))


def _of_model(source: str) -> Report:
    artifact = sources.fetch(source, Path())
    model = tfjs.read(artifact)
    signatures = Entries(
        SignatureReport.of(key or artifact.entry, signature, (artifact.entry,))
        for key, signature in model.signatures.items()
    )
    nodes = (node for graph in model.graphs for node in graph.nodes)
    size = sum(artifact.path(name).stat().st_size for name in artifact.files)
    described = _described(artifact.entry, source, nodes, model.weight_bytes, artifact.digest, model.notes)
    return Report(None, artifact.entry, signatures, Entries([described]), bytes=size)


def _of_saved_model(folder: Path) -> Report:
    saved = read(folder)
    signatures = (
        SignatureReport.of(key, signature, (_tags(metagraph),))
        for metagraph in saved.meta_graphs
        for key, signature in read_signatures(metagraph).items()
    )
    models = (_of_metagraph(metagraph, folder) for metagraph in saved.meta_graphs)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Report(None, folder.name, Entries(signatures), Entries(models), bytes=size)


def _tags(metagraph: MetaGraphDef) -> str:
    return ", ".join(sorted(metagraph.meta_info_def.tags))


def _of_metagraph(metagraph: MetaGraphDef, folder: Path) -> ModelReport:
    graph = metagraph.graph_def
    bodies = (graph.node, *(function.node_def for function in graph.library.function))
    nodes = [Node.of(message) for body in bodies for message in body]
    return _described(_tags(metagraph), str(folder), nodes, sum(map(_weight_bytes, nodes)))


def _described(
    name: str,
    source: str,
    nodes: Iterable[Node],
    weight_bytes: int,
    digest: str = "",
    notes: tuple[str, ...] = (),
) -> ModelReport:
    ops = Counter(node.op for node in nodes)
    return ModelReport(name, source, digest, sum(ops.values()), weight_bytes, dict(sorted(ops.items())), notes)


def _weight_bytes(node: Node) -> int:
    """The bytes of a constant's or a variable's value; 0 for any other node."""
    if node.op == "VarHandleOp":
        return _variable_bytes(attr(node, "dtype"), shape_of(attr(node, "shape", shape_proto(None))))
    if node.op != "Const":
        return 0
    tensor = node.attr["value"].tensor
    content = len(tensor.tensor_content)
    return content or tensor.ByteSize() if tensor.dtype == DType.string else content


def _variable_bytes(dtype: DType, shape: Shape | None) -> int:
    """The bytes of a variable of numbers whose shape is known; 0 for any other, whose size its value decides."""
    if shape is None or None in shape or not dtype.is_number:
        return 0
    return math.prod(size or 0 for size in shape) * dtype.numpy.itemsize
