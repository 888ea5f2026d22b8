"""Cases run three ways: by TensorFlow as they are, by TensorFlow.js, and as bundler imports them.

What bundler makes of a whole category is one bundle. It is run with oneDNN and without: some of TensorFlow's
kernels exist only with it, and a portable graph needs none of those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from bundler import rewrites
from bundler.convert.select import select
from bundler.errors import BundlerError
from bundler.ir.dtypes import DType
from bundler.ir.model import Model
from bundler.ir.nodes import Tensor, new_node, shape_proto, tensor_proto
from bundler.ir.protos import SavedModel, TensorProto
from bundler.link import link
from bundler.manifest import Compat, SignatureSpec
from bundler.outputs import savedmodel
from bundler.runtimes.failures import Failure
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.conformance.case import Case, dtype_of
from tests.support.models import read_model, write_model

__all__ = ["Result", "Run", "Runners", "imported", "run"]

SERVE = ["serve"]
Arrays = Sequence[np.ndarray]


class Runners(NamedTuple):
    """The programs that run models: TensorFlow.js, TensorFlow with oneDNN and TensorFlow without."""

    javascript: TensorFlowJs
    onednn: Runtime
    plain: Runtime


Result: TypeAlias = "list[np.ndarray] | str"
"""What a run gives: the outputs, or the words of a refusal."""


class Run(NamedTuple):
    """All that was found out about a case.

    `model` is what bundler makes of it, or what it says against it; `right` is TensorFlow's result, `bundled` the
    bundle's with oneDNN and without, `javascript` that of TensorFlow.js.
    """

    model: Model | str
    right: Result
    bundled: Sequence[Result]
    javascript: Result


def run(cases: Sequence[Case], runners: Runners, folder: Path) -> list[Run]:
    """Run cases, which may use a folder."""
    models = {case.id: imported(case, folder / case.id) for case in cases}
    sound = {case_id: model for case_id, model in models.items() if isinstance(model, Model)}
    bundled = _bundled(cases, sound, runners, folder)
    return [
        Run(
            models[case.id],
            _right(case, runners.onednn, folder / case.id / "right"),
            bundled.get(case.id, ()),
            _in_javascript(case, runners.javascript, folder / case.id / "model.json"),
        )
        for case in cases
    ]


def _in_javascript(case: Case, javascript: TensorFlowJs, entry: Path) -> Result:
    try:
        return list(javascript.run(entry, case.feeds, case.outputs).values())
    except Failure as failure:
        return str(failure)


def imported(case: Case, folder: Path) -> Model | str:
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


class Question(NamedTuple):
    """One case in a bundle: its Placeholders' values and its outputs, by their names there."""

    feeds: Mapping[str, np.ndarray]
    fetches: Sequence[str]


def _bundled(
    cases: Sequence[Case], models: Mapping[str, Model], runners: Runners, folder: Path
) -> dict[str, list[Result]]:
    """By case, the results of the bundle with oneDNN and without."""
    asked = {case.id: _question(case, models[case.id]) for case in cases if case.id in models}
    if not asked:
        return {}
    ways = [_answers(runtime, asked, models, folder / f"bundle{at}") for at, runtime in enumerate(runners[1:])]
    return {key: [way[key] for way in ways] for key in asked}


def _question(case: Case, model: Model) -> Question:
    """The feeds are those that the imported graph still reads."""
    feeds = {name: value for name, value in case.feeds.items() if name in model.graph.by_name}
    return Question(
        {f"{case.id}/{name}": value for name, value in feeds.items()},
        [f"{case.id}/{Tensor.parse(output)}" for output in case.outputs],
    )


def _answers(
    runtime: Runtime, asked: Mapping[str, Question], models: Mapping[str, Model], folder: Path
) -> dict[str, Result]:
    """All questions put to one bundle at once; if TensorFlow refuses, each to a bundle of its own."""
    feeds = {name: value for question in asked.values() for name, value in question.feeds.items()}
    fetches = [name for question in asked.values() for name in question.fetches]
    found = _run(runtime, _written(models, folder / "all"), feeds, fetches)
    if isinstance(found, str):
        places = {key: _written({key: model}, folder / key) for key, model in models.items()}
        return {key: _run(runtime, places[key], *question) for key, question in asked.items()}
    values = iter(found)
    return {key: [next(values) for _ in question.fetches] for key, question in asked.items()}


def _written(models: Mapping[str, Model], folder: Path) -> Path:
    folder.mkdir(parents=True)
    savedmodel.write([savedmodel.MetaGraph(("serve",), link(models))], folder)
    return folder


def _run(runtime: Runtime, place: Path, feeds: Mapping[str, np.ndarray], tensors: Sequence[str]) -> Result:
    try:
        return runtime.run(place, SERVE, feeds, tensors)
    except Failure as failure:
        return str(failure)


# What is right -----------------------------------------------------------------------------------


def _right(case: Case, runtime: Runtime, folder: Path) -> Result:
    """What TensorFlow gives for the nodes of a case as they are (or for their meaning)."""
    saved = SavedModel(saved_model_schema_version=1)
    meta = saved.meta_graphs.add()
    meta.meta_info_def.tags.extend(SERVE)
    nodes = {made.name: made for made in case.meaning or case.nodes}
    weights = {
        name: new_node("Const", name, nodes[name].input if name in nodes else (), dtype=dtype_of(v), value=_proto(v))
        for name, v in case.weights.items()
    }
    meta.graph_def.node.extend(made.message for made in [*case.placeholders, *{**nodes, **weights}.values()])
    meta.graph_def.library.function.extend(case.functions)
    meta.graph_def.versions.producer = 1395
    folder.mkdir(parents=True)
    (folder / savedmodel.FILE).write_bytes(saved.SerializeToString())
    return _run(runtime, folder, case.feeds, case.outputs)


def _proto(value: np.ndarray) -> TensorProto:
    if value.dtype != object:
        return tensor_proto(value)
    return TensorProto(dtype=DType.string.value, tensor_shape=shape_proto(value.shape), string_val=[*value.flat])
