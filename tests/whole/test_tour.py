"""A tour of the whole, on the tiny models of `manifests/tiny.toml`: read it first.

Each step is a stage, called as `bundler.build` calls it; the last ones use what was built.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bundler import manifest, rewrites, sources, tfjs
from bundler.convert.select import select
from bundler.ir.model import Model
from bundler.ir.nodes import show
from bundler.link import link
from bundler.manifest import Compat, SignatureSpec
from bundler.outputs import savedmodel
from bundler.runtimes.tensorflow import Runtime
from tests.generate.tiny_models import drawn
from tests.support.asking import ask
from tests.support.places import MANIFESTS

TINY = manifest.read(MANIFESTS / "tiny.toml")


def test_1_a_manifest_lists_models_and_the_signatures_that_callers_will_see() -> None:
    assert TINY.bundle.name == "tiny"
    assert [model.name for model in TINY.models] == ["digits", "edges", "moments"]
    assert [signature.key for signature in TINY.models[1].signatures] == ["edge_strength", "edge_gradients"]


def test_2_a_source_becomes_files_with_a_digest() -> None:
    artifact = sources.fetch("models/digits", TINY.folder)
    assert artifact.files == ("model.json", "group1-shard1of2.bin", "group1-shard2of2.bin")
    assert artifact.digest.startswith("sha256:")


def test_3_the_reader_makes_a_model_whose_weights_stay_on_disk() -> None:
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


def test_4_selecting_gives_the_model_the_signatures_that_were_asked_for() -> None:
    asked = SignatureSpec(key="classify_digit", outputs=("Identity",), rename={"Identity": "probabilities"})
    selection = select(read("models/digits"), [asked])
    assert selection.faults == ()
    assert list(selection.model.signatures["classify_digit"].outputs) == ["probabilities"]


def test_5_rewrites_leave_public_ops_of_tensorflow_only() -> None:
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


def test_6_linking_puts_every_model_into_a_scope_of_one_graph() -> None:
    models = {
        name: rewrites.run(select(read(f"models/{name}"), [SignatureSpec(key=name)]).model, Compat.NONE)
        for name in ("digits", "moments")
    }
    bundle = link(models)
    assert set(bundle.signatures) == {"digits", "moments"}
    assert {node.name.split("/")[0] for node in bundle.graph.nodes} == {"digits", "moments"}


def test_7_the_bundle_is_one_saved_model(built: Callable[[str], Path]) -> None:
    files = sorted(path.relative_to(built("tiny")).as_posix() for path in built("tiny").rglob("*") if path.is_file())
    assert files == ["assets.extra/bundle.json", savedmodel.FILE]


def test_8_every_signature_answers(built: Callable[[str], Path], runtime: Runtime) -> None:
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
