"""A tour of the whole, on the tiny models of `manifests/tiny.toml`. Read it first.

Each step is a stage of the picture in `bundler/__init__.py`, in its order, and the folder of the same name; the last
steps are the verbs that put the stages together, and what they build.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

import bundler
from bundler import checks, manifest, rewrites, sources, tfjs
from bundler.convert.one import Converted, Task, convert
from bundler.convert.select import select
from bundler.ir.model import Model
from bundler.ir.nodes import show
from bundler.link import link
from bundler.manifest import Compat, SignatureSpec
from bundler.outputs import savedmodel
from bundler.outputs.savedmodel import MetaGraph
from bundler.runtimes.tensorflow import Runtime
from bundler.verbs.given import Given
from bundler.verbs.linked import linked
from tests.generate.tiny_models import drawn
from tests.support.asking import ask
from tests.support.places import MANIFESTS

TINY = manifest.read(MANIFESTS / "tiny.toml")


def test_manifest_lists_models_and_the_signatures_that_callers_will_see() -> None:
    assert TINY.bundle.name == "tiny"
    assert [model.name for model in TINY.models] == ["digits", "edges", "moments"]
    assert [signature.key for signature in TINY.models[1].signatures] == ["edge_strength", "edge_gradients"]


def test_sources_makes_an_artifact_of_a_source_files_with_a_digest() -> None:
    artifact = sources.fetch("models/digits", TINY.folder)
    assert artifact.files == ("model.json", "group1-shard1of2.bin", "group1-shard2of2.bin")
    assert artifact.digest.startswith("sha256:")


def test_tfjs_reads_a_model_whose_weights_stay_on_disk() -> None:
    model = read("models/digits")
    (own,) = model.signatures.values()
    assert [node.op for node in model.graph.nodes if node.op != "Const"] == [
        "Placeholder",
        "_FusedMatMul",
        "_FusedMatMul",
        "Softmax",
        "Identity",
    ]
    assert list(own.inputs) == ["image"]
    assert all(weight.nbytes == weight.array().nbytes for weight in model.graph.weights.values())


def test_convert_selects_the_signatures_that_the_manifest_asks_for() -> None:
    asked = SignatureSpec(key="classify_digit", outputs=("Identity",), rename={"Identity": "probabilities"})
    selection = select(read("models/digits"), [asked])
    assert selection.faults == ()
    assert list(selection.model.signatures["classify_digit"].outputs) == ["probabilities"]


def test_rewrites_leave_public_ops_of_tensorflow_only() -> None:
    digits = select(read("models/digits"), [SignatureSpec(key="digits")]).model
    portable = rewrites.run(digits, Compat.NONE)
    assert [show(node).replace("StatefulPartitionedCall/digits/", "") for node in portable.graph.nodes[4:]] == [
        "image = Placeholder()",
        "hidden/Relu/MatMul = MatMul(image, hidden/kernel)",
        "hidden/Relu/BiasAdd = BiasAdd(hidden/Relu/MatMul, hidden/bias)",
        "hidden/Relu = Relu(hidden/Relu/BiasAdd)",
        "scores/BiasAdd/MatMul = MatMul(hidden/Relu, scores/kernel)",
        "scores/BiasAdd = BiasAdd(scores/BiasAdd/MatMul, scores/bias)",
        "softmax/Softmax = Softmax(scores/BiasAdd)",
        "Identity = Identity(softmax/Softmax)",
    ]


def test_convert_does_all_this_for_one_model() -> None:
    spec = TINY.models[0]
    made = convert(Task(spec, TINY.signatures(spec), TINY.compat(spec), TINY.folder, index=0))
    assert isinstance(made, Converted)
    assert list(made.model.signatures) == ["serving_default"]
    assert ("_FusedMatMul", 1, ("MatMul", "BiasAdd", "Relu")) in made.model.changes


def test_link_puts_every_model_into_a_scope_of_one_graph() -> None:
    models = {
        name: rewrites.run(select(read(f"models/{name}"), [SignatureSpec(key=name)]).model, Compat.NONE)
        for name in ("digits", "moments")
    }
    bundle = link(models)
    assert set(bundle.signatures) == {"digits", "moments"}
    assert {node.name.split("/")[0] for node in bundle.graph.nodes} == {"digits", "moments"}


def test_outputs_write_a_saved_model_that_checks_load(tmp_path: Path, runtime: Runtime) -> None:
    digits = rewrites.run(select(read("models/digits"), [SignatureSpec(key="digits")]).model, Compat.NONE)
    metagraph = MetaGraph(("serve",), link({"digits": digits}))
    size = savedmodel.write([metagraph], tmp_path)
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == [(savedmodel.FILE, size)]
    assert checks.load(tmp_path, metagraph, {"digits": "digits"}, runtime).name == "load"


def test_verbs_link_a_manifest_as_a_whole_and_report_it(runtime: Runtime) -> None:
    with linked(Given(TINY), runtime) as bundle:
        ((metagraph, owners),) = bundle.parts
        report = bundle.report()
    assert metagraph.tags == ("serve",)
    assert owners == {
        "serving_default": ("digits",),
        "edge_strength": ("edges",),
        "edge_gradients": ("edges",),
        "moments": ("moments",),
    }
    assert report.models["digits"].ops["MatMul"] == 2
    assert report.signatures["edge_strength"].inputs["image"].type == "float32[?, ?, ?, 1]"


def test_the_bundle_is_one_saved_model_and_its_record(built: Callable[[str], Path]) -> None:
    files = sorted(path.relative_to(built("tiny")).as_posix() for path in built("tiny").rglob("*") if path.is_file())
    checkpoint = ["variables/variables.data-00000-of-00001", "variables/variables.index"]  # of the object graph
    assert files == ["assets.extra/bundle.json", savedmodel.FILE, *checkpoint]
    assert bundler.inspect(built("tiny")).signatures["moments"].outputs.names == (
        "is_outlier",
        "mean",
        "normalised",
        "outliers",
        "variance",
    )


def test_every_signature_answers(built: Callable[[str], Path], runtime: Runtime) -> None:
    bundle = built("tiny")
    seven = drawn(7).reshape(1, 64).astype(np.float32)
    assert ask(runtime, bundle, "serving_default", pixels=seven)["probabilities"].argmax() == 7

    step = np.repeat([[0, 0, 0, 0, 1, 1, 1, 1]], 8, axis=0).reshape(1, 8, 8, 1).astype(np.float32)
    strength = ask(runtime, bundle, "edge_strength", image=step)["strength"]
    assert strength[0, 4, 3:5].min() > strength[0, 4, 1].max()
    assert set(ask(runtime, bundle, "edge_gradients", image=step)) == {"gradients", "signed_gradients"}

    batch = np.random.default_rng(0).normal(5, 2, (32, 8)).astype(np.float32)
    np.testing.assert_allclose(ask(runtime, bundle, "moments", batch=batch)["mean"], batch.mean(axis=0), rtol=1e-5)


def read(source: str) -> Model:
    return tfjs.read(sources.fetch(source, TINY.folder))
