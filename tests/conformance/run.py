"""Cases run three ways: by TensorFlow as they are, by TensorFlow.js, and as bundler imports them.

What bundler makes of a whole category is one bundle. It is run with oneDNN and without: some of TensorFlow's
kernels exist only with it, and a portable graph needs none of those.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bundler import rewrites, savedmodel
from bundler.dtypes import DType
from bundler.errors import BundlerError, VerificationError
from bundler.link import link
from bundler.manifest import Compat, SignatureSpec
from bundler.model import Model
from bundler.nodes import Tensor, node, shape_proto, tensor_proto
from bundler.protos import NodeDef, SavedModel, TensorProto
from bundler.reference import TensorFlowJs
from bundler.runtime import Runtime
from bundler.select import select
from tests.conformance.case import AGREES, Cannot, Case, Differs, dtype_of
from tests.conformance.compare import contrast, farthest
from tests.models import read_model, write_model

__all__ = ["Outcome", "Runners", "run"]

SERVE = ["serve"]
Arrays = Sequence[np.ndarray]


class Runners(NamedTuple):
    """The programs that run models: TensorFlow.js, TensorFlow with oneDNN and TensorFlow without."""

    javascript: TensorFlowJs
    onednn: Runtime
    plain: Runtime


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    `imported` are the ops that bundler writes for it; `error` is its largest distance from what it must agree with;
    `faults` is what the suite must not find; `note` tells where TensorFlow.js goes its own way.
    """

    case: Case
    imported: tuple[str, ...] = ()
    error: float = 0.0
    faults: tuple[str, ...] = ()
    note: str = ""


def run(cases: Sequence[Case], runners: Runners, folder: Path) -> list[Outcome]:
    """Run cases, which may use a folder, and judge each."""
    models = {case.id: _imported(case, folder / case.id) for case in cases}
    sound = {case_id: model for case_id, model in models.items() if isinstance(model, Model)}
    found = dict(_bundled(cases, sound, runners, folder))
    return [_judged(case, models[case.id], found.get(case.id, []), runners, folder / case.id) for case in cases]


def _imported(case: Case, folder: Path) -> Model | str:
    """What bundler makes of a case, or what it says against it."""
    nodes = [*case.placeholders, *case.nodes]
    entry = write_model(folder, nodes, case.weights, functions=case.functions, **case.document)
    try:
        spec = SignatureSpec(key=case.id, outputs=tuple(case.outputs))
        selection = select(read_model(entry), [spec])
        return "; ".join(map(str, selection.faults)) or rewrites.run(selection.model, Compat.NONE)
    except BundlerError as error:
        return f"bundler: {error}"


# Bundles -----------------------------------------------------------------------------------------


def _bundled(
    cases: Sequence[Case], models: Mapping[str, Model], runners: Runners, folder: Path
) -> Iterator[tuple[str, list[list[np.ndarray] | str]]]:
    """By case, the results of the bundle with oneDNN and without; a text where TensorFlow refuses.

    One bundle for all; where that does not load, one for each, to find out whose fault it is.
    """
    if not models:
        return
    whole = _written(models, folder / "bundle")
    try:
        runners.onednn.load(whole, SERVE, [])
        places = dict.fromkeys(models, whole)
    except VerificationError:
        places = {key: _written({key: model}, folder / key / "bundle") for key, model in models.items()}
    for case in cases:
        if case.id in models:
            tensors = [f"{case.id}/{Tensor.parse(output)}" for output in case.outputs]
            feeds = {f"{case.id}/{name}": value for name, value in _read(case.feeds, models[case.id]).items()}
            place = places[case.id]
            yield case.id, [_run(runner, place, feeds, tensors) for runner in (runners.onednn, runners.plain)]


def _written(models: Mapping[str, Model], folder: Path) -> Path:
    folder.mkdir(parents=True)
    savedmodel.write([savedmodel.MetaGraph(("serve",), link(models))], folder)
    return folder


def _read(feeds: Mapping[str, np.ndarray], model: Model) -> dict[str, np.ndarray]:
    """The feeds that the imported graph still reads."""
    return {name: value for name, value in feeds.items() if name in model.graph.by_name}


def _run(
    runtime: Runtime, place: Path, feeds: Mapping[str, np.ndarray], tensors: Sequence[str]
) -> list[np.ndarray] | str:
    try:
        return runtime.run(place, SERVE, feeds, tensors)
    except VerificationError as error:
        return str(error)


# What is right -----------------------------------------------------------------------------------


def _expected(case: Case, runtime: Runtime, folder: Path) -> list[np.ndarray] | str:
    """What TensorFlow gives for the nodes of a case as they are (or for their meaning)."""
    saved = SavedModel(saved_model_schema_version=1)
    meta = saved.meta_graphs.add()
    meta.meta_info_def.tags.extend(SERVE)
    nodes = {made.name: made for made in case.meaning or case.nodes}
    weights = {
        name: node("Const", name, nodes[name].input if name in nodes else (), dtype=dtype_of(v), value=_proto(v))
        for name, v in case.weights.items()
    }
    meta.graph_def.node.extend([*case.placeholders, *{**nodes, **weights}.values()])
    meta.graph_def.library.function.extend(case.functions)
    meta.graph_def.versions.producer = 1395
    folder.mkdir(parents=True)
    (folder / savedmodel.FILE).write_bytes(saved.SerializeToString())
    return _run(runtime, folder, case.feeds, case.outputs)


def _proto(value: np.ndarray) -> TensorProto:
    if value.dtype != object:
        return tensor_proto(value)
    return TensorProto(dtype=DType.string.value, tensor_shape=shape_proto(value.shape), string_val=[*value.flat])


# Judging -----------------------------------------------------------------------------------------


def _judged(
    case: Case, model: Model | str, found: Sequence[list[np.ndarray] | str], runners: Runners, folder: Path
) -> Outcome:
    if isinstance(model, str):
        as_said = case.refused and case.refused in model
        return Outcome(case, faults=() if as_said else (model,), note=model if as_said else "")
    if case.refused:
        return Outcome(case, faults=("bundler takes it",))
    imported = tuple(_ops_made(model.graph.nodes))
    right = _expected(case, runners.onednn, folder / "expected")
    if isinstance(right, str):
        return Outcome(case, imported, faults=(f"the case itself: {right}",))
    ways = [_measured(case, name, way, right) for name, way in zip(("with oneDNN", "without oneDNN"), found)]
    note, ways_js = _javascript(case, right, runners.javascript, folder)
    ways += ways_js
    faults = tuple(fault for _, fault in ways if fault)
    return Outcome(case, imported, max(error for error, _ in ways), faults, note)


def _measured(case: Case, name: str, found: Arrays | str, right: Arrays, *, narrow: bool = False) -> tuple[float, str]:
    """How far a run is from what is right, and what is wrong with it."""
    if isinstance(found, str):
        return math.inf, f"{name}: {found}"
    if case.drawn is not None:
        return 0.0, _undrawn(case, name, found, right)
    error = farthest(found, right, narrow=narrow)
    if error <= case.tolerance:
        return error, ""
    given, wanted = contrast(found, right)
    return error, f"{name}: {given}, not {wanted} ({error:.1e} apart)"


def _undrawn(case: Case, name: str, found: Arrays, right: Arrays) -> str:
    """What is wrong with random values: their shape, their dtype or their range."""
    assert case.drawn is not None
    low, high = case.drawn
    for a, b in zip(found, right):
        if a.shape != b.shape or a.dtype.kind != b.dtype.kind or not ((a >= low) & (a <= high)).all():
            return f"{name}: {a.dtype} {a.shape} from {a.min()} to {a.max()}"
    return ""


def _javascript(
    case: Case, right: Arrays, javascript: TensorFlowJs, folder: Path
) -> tuple[str, list[tuple[float, str]]]:
    """A note of what TensorFlow.js does otherwise, and what is wrong with what was said of it."""
    try:
        told = javascript.run(folder / "model.json", case.feeds, case.outputs)
        found: list[np.ndarray] | str = list(told.values())
    except VerificationError as error:
        found = str(error)
    error, fault = _measured(case, "TensorFlow.js", found, right, narrow=True)
    if case.javascript == AGREES:
        return "", [(error, fault)]
    if isinstance(case.javascript, Cannot):
        return f"TensorFlow.js cannot: {case.javascript.why}", _unless(isinstance(found, str), "TensorFlow.js can")
    assert isinstance(case.javascript, Differs)
    if isinstance(found, str):
        return "", [(0.0, fault)]
    theirs, ours = contrast(found, right)
    note = f"{case.javascript.why}: {theirs} in TensorFlow.js, {ours} in TensorFlow"
    return note, _unless(bool(fault), "TensorFlow.js agrees")


def _unless(holds: bool, fault: str) -> list[tuple[float, str]]:
    return [] if holds else [(0.0, fault)]


def _ops_made(nodes: Iterable[NodeDef]) -> list[str]:
    """The ops in a graph, in order, without its sources."""
    return list(dict.fromkeys(made.op for made in nodes if made.op not in ("Const", "Placeholder")))
