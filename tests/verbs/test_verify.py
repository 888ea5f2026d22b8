"""A bundle is called, and compared with its source models in TensorFlow.js, with recorded outputs, or with a bundle."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundler
from bundler import manifest
from bundler.comparison import references
from bundler.disk.publish import RECORD
from bundler.errors import BundlerError, ManifestError, SourceError, VerificationError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, new_node
from bundler.report.verification import Verification
from tests.support.broken import changed
from tests.support.models import placeholder, write_early, write_model
from tests.support.places import MANIFESTS

FLOAT, INT, STRING = DType.float32, DType.int32, DType.string
TINY = MANIFESTS / "tiny.toml"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify") / "tiny"
    bundler.build(TINY, output=folder)
    return folder


def verdicts(found: Verification) -> dict[str, str]:
    return {each.key: each.verdict for each in found.signatures}


class Shop:
    """A folder with models and the manifest of a bundle of them."""

    def __init__(self, folder: Path, modules: Path) -> None:
        self.folder = folder
        self.modules = modules
        self.manifest = folder / "shop.toml"
        self.bundle = folder / "bundle"
        self.checks = ""
        self._models = ""

    def add(self, name: str, nodes: Sequence[Node], weights: Mapping[str, np.ndarray] = {}, *lines: str) -> None:
        """A graph model, and its table in the manifest."""
        write_model(self.folder / name, nodes, weights)
        self._models += "\n".join([f'[[model]]\nname = "{name}"\nsource = "{name}"', *lines, ""])

    def add_layers(self, name: str, written_by: str, *layers: Mapping[str, Any]) -> None:
        """A layers model without weights, as a library wrote it: a Sequential of layers on an image of 4 pixels."""
        first, *others = layers
        placed = {**first, "config": {**first["config"], "batch_input_shape": [None, 2, 2, 1], "dtype": "float32"}}
        topology = {
            "keras_version": written_by,
            "model_config": {"class_name": "Sequential", "config": {"name": name, "layers": [placed, *others]}},
        }
        document = {"format": "layers-model", "modelTopology": topology, "weightsManifest": []}
        (self.folder / name).mkdir()
        (self.folder / name / "model.json").write_text(json.dumps(document))
        self._models += f'[[model]]\nname = "{name}"\nsource = "{name}"\n'

    def add_early(self, name: str, model: Path) -> None:
        """A model in the form from before TensorFlow.js 1.0."""
        write_early(model, self.folder / name)
        self._models += f'[[model]]\nname = "{name}"\nsource = "{name}"\n'

    def add_inline(self, name: str, nodes: Sequence[Node], weights: Mapping[str, np.ndarray]) -> None:
        """A model whose JSON file has the bytes of its weights."""
        entry = write_model(self.folder / name, nodes, weights)
        document = json.loads(entry.read_text())
        (group,) = document.pop("weightsManifest")
        content = (self.folder / name / group["paths"][0]).read_bytes()
        document |= {"weightSpecs": group["weights"], "weightData": base64.b64encode(content).decode()}
        entry.write_text(json.dumps(document))
        self._models += f'[[model]]\nname = "{name}"\nsource = "{name}"\n'

    def build(self) -> Path:
        self.write()
        bundler.build(self.manifest, output=self.bundle, force=True, check=False)
        return self.bundle

    def write(self) -> None:
        self.manifest.write_text(f'[bundle]\nname = "shop"\n{self._models}\n{self.checks}')

    def verify(self, **settings: Any) -> Verification:
        self.write()
        return bundler.verify(self.manifest, output=self.bundle, **({"tfjs": self.modules} | settings))


@pytest.fixture
def shop(tmp_path: Path, tensorflowjs_modules: Path) -> Shop:
    return Shop(tmp_path, tensorflowjs_modules)


MATRIX = np.array([[1, 0, -1], [0, 1, 2]], np.float32)


def product(x: str = "x") -> list[Node]:
    return [placeholder(x, -1, 2), new_node("MatMul", "y", [x, "w"], T=FLOAT)]


# Against TensorFlow.js ---------------------------------------------------------------------------


def test_every_signature_of_a_bundle_is_compared_with_the_source_models(tiny: Path, tensorflowjs_modules: Path) -> None:
    found = bundler.verify(TINY, output=tiny, tfjs=tensorflowjs_modules)
    assert found.reference == "TensorFlow.js 4.22.0"
    assert verdicts(found) == dict.fromkeys(["serving_default", "edge_strength", "edge_gradients", "moments"], "ok")
    assert [output.name for output in found.signatures["edge_gradients"].outputs] == ["gradients", "signed_gradients"]
    assert all(each.error is not None and each.error < 1e-6 for each in found.signatures)
    assert found.ok
    found.raise_if_wrong()


def test_a_changed_weight_is_found_and_named(tiny: Path, tensorflowjs_modules: Path, tmp_path: Path) -> None:
    weight = "edges/StatefulPartitionedCall/edges/filters/kernel"
    broken = changed(tiny, tmp_path / "broken", weight, by=0.01)
    found = bundler.verify(TINY, output=broken, tfjs=tensorflowjs_modules)
    assert verdicts(found) == {
        "serving_default": "ok",
        "edge_strength": "wrong",
        "edge_gradients": "wrong",
        "moments": "ok",
    }
    with pytest.raises(VerificationError) as caught:
        found.raise_if_wrong()
    strength = caught.value.faults[0]
    assert strength.where == "signature 'edge_strength' of model 'edges': output 'strength'"
    assert strength.what.startswith("differs from TensorFlow.js 4.22.0 by 0.0")
    place = found.signatures["edge_strength"].outputs["strength"]
    assert place.at is not None
    assert len(place.at) == 4
    assert place.found != place.expected


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["constants", "variables"])
def test_both_roads_into_tensorflow_give_the_same(tmp_path: Path, tensorflowjs_modules: Path, weights: str) -> None:
    path = tmp_path / "tiny.toml"
    text = TINY.read_text().replace('name = "tiny"', f'name = "tiny"\nweights = "{weights}"')
    path.write_text(text.replace('"models/', f'"{MANIFESTS}/models/'))
    bundler.build(path, output=tmp_path / "tiny")
    found = bundler.verify(path, output=tmp_path / "tiny", tfjs=tensorflowjs_modules, python=True)
    assert [each.road for each in found.signatures[:2]] == ["session", "tf.saved_model.load"]
    assert {each.verdict for each in found.signatures} == {"ok"}
    assert len(found.signatures) == 8


def test_a_metagraph_for_each_model(tmp_path: Path, tensorflowjs_modules: Path) -> None:
    for name, sign in (("cat", 1), ("dog", -1)):
        write_model(tmp_path / name, product(), {"w": sign * MATRIX})
    tables = "".join(f'[[model]]\nname = "{name}"\nsource = "{name}"\ntags = ["{name}"]\n' for name in ("cat", "dog"))
    check = '[[check]]\nsignature = "serving_default"\nmodel = "dog"\ninputs.x = { range = [5, 6] }\n'
    (tmp_path / "pets.toml").write_text(f'[bundle]\nname = "pets"\nlayout = "tags"\n{tables}{check}')
    bundler.build(tmp_path / "pets.toml", output=tmp_path / "pets")
    found = bundler.verify(tmp_path / "pets.toml", output=tmp_path / "pets", tfjs=tensorflowjs_modules)
    assert [(each.model, each.verdict, each.inputs) for each in found.signatures] == [
        ("cat", "ok", "random: x[4, 2] from 0 to 1"),
        ("dog", "ok", "random: x[4, 2] from 5 to 6"),
    ]


# One bundle with a model for each thing that may come of a comparison ----------------------------

RELU = {"class_name": "Activation", "config": {"name": "relu", "activation": "relu"}}
LARGER = {
    "class_name": "UpSampling2D",
    "config": {"name": "larger", "size": [2, 2], "interpolation": "bilinear", "data_format": "channels_last"},
}
NEG = new_node("Neg", "y", ["x"], T=FLOAT)
RESHAPE = new_node("Reshape", "y", ["x", "shape"], T=FLOAT, Tshape=INT)
SEVEN = {"shape": np.array([7], np.int32)}

CHECKS = """
[[check]]
signature = "dice"
inputs.size = { values = [5] }

[[check]]
signature = "seven_of_check"
inputs.x = { shape = [7] }

[[check]]
signature = "unfit"
inputs.x = { shape = [1, 2, 3] }
"""

COMPARED = {
    "product": ("ok", "random: x[4, 2] from 0 to 1", ""),
    "other_names": ("ok", "random: entrée[2] from 0 to 1", ""),
    "opened": ("ok", "random: x[1, 3] from 0 to 1", ""),  # the sizes of the source
    "negative": ("ok", "random: x[9] from -1 to 1", ""),  # from 0 to 1, all outputs are 0
    "seven_of_check": ("ok", "random: x[7] from 0 to 1", ""),
    "both": ("ok", "random: x[4] from 0 to 1", ""),
    "zeros": ("unchecked", "random: x[4] from 0 to 1", "zeros only on both sides"),
    "dice": ("unchecked", "random: size[1] of 1 values", "draws at random, or keeps a state"),
    "seven": (
        "unchecked",
        "random: x[4] from 0 to 1",
        "needs a check: neither takes these inputs (TensorFlow: Input to reshape is a tensor with 4 values, but the"
        " requested shape has 7 [[{{node seven/y}}]])",
    ),
    "unfit": (
        "unchecked",
        "",
        "input 'x': the input has another shape (found (1, 2, 3), expected (9,))",
    ),
    "early": ("ok", "random: batch[4, 8] from 0 to 1", ""),
    "inline": ("ok", "random: x[4, 2] from 0 to 1", ""),
    "browser": ("ok", "random: relu_input[4, 2, 2, 1] from 0 to 1", ""),
    "keras": ("ok", "random: relu_input[4, 2, 2, 1] from 0 to 1", ""),
    "agreeing": ("ok", "random: relu_input[4, 2, 2, 1] from 0 to 1", ""),
    "departing": (
        "unchecked",
        "random: relu_input[4, 2, 2, 1] from 0 to 1",
        "Keras 2 wrote the model, and TensorFlow.js computes it otherwise (samples_at_centers):"
        " record outputs of Keras 2 in a check",
    ),
}
"""Verdict, inputs and reason, by key."""


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory, tensorflowjs_modules: Path) -> Verification:
    shop = Shop(tmp_path_factory.mktemp("shop"), tensorflowjs_modules)
    draw = new_node("RandomUniform", "draw", ["size"], T=INT, dtype=FLOAT, seed=0, seed2=0)
    with_zeros = [placeholder("x", 4), new_node("Sub", "zero", ["x", "x"], T=FLOAT), NEG]
    relu = [placeholder("x", 9), new_node("Neg", "n", ["x"], T=FLOAT), new_node("Relu", "y", ["n"], T=FLOAT)]
    shop.add("product", product(), {"w": MATRIX})
    shop.add("other_names", [placeholder("entrée", 2), new_node("Neg", "très grand", ["entrée"], T=FLOAT)])
    shop.add("opened", [placeholder("x", 1, 3), NEG], {}, "shapes = { x = [-1, 3] }")
    shop.add("negative", relu)
    shop.add("dice", [placeholder("size", 1, dtype=INT), draw])
    shop.add("seven", [placeholder("x", -1), RESHAPE], SEVEN)
    shop.add("seven_of_check", [placeholder("x", -1), RESHAPE], SEVEN)
    shop.add("both", with_zeros)
    shop.add("zeros", with_zeros, {}, '[[model.signature]]\nkey = "zeros"\noutputs = ["zero"]')
    shop.add("unfit", [placeholder("x", 9), NEG])
    shop.add_layers("browser", "tfjs-layers 4.22.0", RELU, LARGER)
    shop.add_layers("keras", "2.15.0", RELU)
    shop.add_layers("departing", "2.15.0", RELU, LARGER)
    shop.add_layers("agreeing", "2.15.0", RELU, {**LARGER, "config": {**LARGER["config"], "interpolation": "nearest"}})
    shop.add_early("early", MANIFESTS / "models" / "moments" / "model.json")
    shop.add_inline("inline", product(), {"w": MATRIX})
    shop.checks = CHECKS
    shop.build()
    return shop.verify()


@pytest.mark.parametrize("key", COMPARED)
def test_what_came_of_a_comparison(compared: Verification, key: str) -> None:
    found = compared.signatures[key]
    assert (found.verdict, found.inputs, found.why) == COMPARED[key]


def test_each_output_has_a_verdict(compared: Verification) -> None:
    assert [(output.name, output.verdict, output.why) for output in compared.signatures["both"].outputs] == [
        ("y", "ok", ""),
        ("zero", "unchecked", "zeros only on both sides"),
    ]


def test_what_could_not_be_compared_is_not_wrong(compared: Verification) -> None:
    assert compared.ok


def test_a_difference_no_larger_than_the_models_own_noise_is_unchecked(shop: Shop) -> None:
    nodes = [
        placeholder("x", 1, 64),
        new_node("Mul", "large", ["x", "factor"], T=FLOAT),
        new_node("Sin", "sine", ["large"], T=FLOAT),
        new_node("MatMul", "y", ["sine", "w"], T=FLOAT),
    ]
    shop.add("noisy", nodes, {"factor": np.array(1e9, np.float32), "w": np.ones((64, 3), np.float32)})
    other = changed(shop.build(), shop.folder / "other", "noisy/factor", by=64.0)
    (found,) = shop.verify(against=other).signatures
    assert found.verdict == "unchecked"
    assert found.why.startswith("inputs that change by 1e-06 of their largest value change it by ")


@pytest.mark.slow
def test_a_model_that_does_not_end_costs_its_signature_alone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "SECONDS", 5)
    limits = {"most": np.array((1 << 31) - 1, np.int32), "one": np.array(1, np.int32)}
    shop.add("endless", [placeholder("x", dtype=INT), *_endless("x")], limits)
    shop.add("product", product(), {"w": MATRIX})
    shop.build()
    found = shop.verify()
    assert verdicts(found) == {"endless": "unchecked", "product": "ok"}
    assert found.signatures["endless"].why == (
        "needs a check: neither takes these inputs (TensorFlow's runtime did not answer in 5 s)"
    )


def _endless(x: str) -> list[Node]:
    """A loop of version 1 that counts from `x` to `most`."""
    frame = {"frame_name": b"loop", "is_constant": False, "parallel_iterations": 1}
    constant = {**frame, "is_constant": True}
    return [
        new_node("Enter", "enter", [x], T=INT, **frame),
        new_node("Enter", "limit", ["most"], T=INT, **constant),
        new_node("Enter", "step", ["one"], T=INT, **constant),
        new_node("Merge", "merge", ["enter", "next"], T=INT, N=2),
        new_node("Less", "less", ["merge", "limit"], T=INT),
        new_node("LoopCond", "cond", ["less"]),
        new_node("Switch", "switch", ["merge", "cond"], T=INT),
        new_node("AddV2", "add", ["switch:1", "step"], T=INT),
        new_node("NextIteration", "next", ["add"], T=INT),
        new_node("Exit", "exit", ["switch"], T=INT),
    ]


# Against recorded outputs ------------------------------------------------------------------------

CHECK = '[[check]]\nsignature = "serving_default"\nfile = "golden.npz"\n'


IMAGE = np.array([[0, 1], [0, 1]], np.float32).reshape(1, 2, 2, 1)
LARGER_IMAGE = np.repeat([[0, 0.25, 0.75, 1]], 4, axis=0).astype(np.float32).reshape(1, 4, 4, 1)
"""By Keras, which takes pixels for areas."""


def test_a_composed_signature_is_unchecked_if_a_model_in_it_departs(shop: Shop) -> None:
    shop.add_layers("departing", "2.15.0", RELU, LARGER)
    shop.add("product", product(), {"w": MATRIX})
    steps = '[{ call = "departing", as = "larger" }, { op = "exp", as = "y" }]'
    head = '[[signature]]\nkey = "c"\ninputs = { x = "float32[?, 2, 2, 1]" }\noutputs = ["y"]\n'
    shop.checks = f"{head}steps = {steps}"
    shop.build()
    found = shop.verify().signatures["c"]
    assert [(step.name, step.verdict) for step in found.steps] == [
        ("step 1, departing: larger", "unchecked"),
        ("step 2, exp: y", "ok"),
    ]
    assert found.verdict == found.outputs["y"].verdict == "unchecked"
    assert found.why.startswith("step 1, departing: larger: Keras 2 wrote the model, and TensorFlow.js computes")


def golden_of_departing(shop: Shop, output: np.ndarray) -> None:
    np.savez(shop.folder / "golden.npz", **{"inputs/relu_input": IMAGE, "outputs/larger": output})


def test_a_layers_model_that_departs_is_compared_with_recorded_outputs(shop: Shop) -> None:
    shop.add_layers("departing", "2.15.0", RELU, LARGER)
    shop.checks = CHECK
    golden_of_departing(shop, LARGER_IMAGE)
    shop.build()
    (found,) = shop.verify().signatures
    assert (found.verdict, found.reference, found.inputs) == ("ok", "the recorded outputs", "those of golden.npz")


def test_outputs_are_recorded_and_compared_later(shop: Shop) -> None:
    pattern = {"pattern": b"a", "rewrite": b"b", "replace_global": True}
    shop.add("product", product(), {"w": MATRIX})
    shop.add("texts", [placeholder("s", 2, dtype=STRING), new_node("StaticRegexReplace", "y", ["s"], **pattern)])
    shop.checks = CHECK.replace("serving_default", "product")
    shop.checks += '[[check]]\nsignature = "texts"\nfile = "new/texts.npz"\ninputs.s = { values = ["abc", "xyz"] }\n'
    shop.build()
    golden, texts = shop.folder / "golden.npz", shop.folder / "new" / "texts.npz"
    assert shop.verify(record=True).recorded == (golden, texts)
    content = golden.read_bytes()
    with np.load(golden) as arrays:
        assert sorted(arrays) == ["inputs/x", "outputs/y"]
        np.testing.assert_allclose(arrays["inputs/x"] @ MATRIX, arrays["outputs/y"], rtol=1e-6)
    with np.load(texts, allow_pickle=False) as arrays:
        assert {*arrays["inputs/s"]} <= {b"abc", b"xyz"}
    again = shop.verify(against="golden", record=True, tfjs=None)
    assert again.reference == "the recorded outputs"
    assert [each.error for each in again.signatures] == [0, 0]
    assert golden.read_bytes() == content


def test_another_weight_shows_in_recorded_outputs_which_stay(shop: Shop) -> None:
    shop.add("product", product(), {"w": MATRIX})
    shop.checks = CHECK
    shop.build()
    shop.verify(against="golden", record=True, tfjs=None)
    content = (shop.folder / "golden.npz").read_bytes()
    write_model(shop.folder / "product", product(), {"w": MATRIX * 1.01})
    shop.build()
    found = shop.verify(against="golden", record=True, tfjs=None)
    assert verdicts(found) == {"serving_default": "wrong"}
    assert found.recorded == ()
    assert (shop.folder / "golden.npz").read_bytes() == content
    shop.checks = CHECK + "rtol = 0.1\n"
    assert verdicts(shop.verify(against="golden", tfjs=None)) == {"serving_default": "ok"}


def test_a_signature_without_recorded_outputs_is_unchecked(shop: Shop) -> None:
    shop.add("product", product(), {"w": MATRIX})
    shop.build()
    found = shop.verify(against="golden", tfjs=None)
    assert verdicts(found) == {"serving_default": "unchecked"}
    with pytest.raises(VerificationError, match="no signature could be compared"):
        found.raise_if_wrong()


def pickled(path: Path) -> None:
    np.savez(path, **{"inputs/x": np.array([{}], object)})


def foreign(path: Path) -> None:
    path.write_text("no archive")


def misnamed(path: Path) -> None:
    np.savez(path, **{"inputs/xx": MATRIX})


def stray(path: Path) -> None:
    np.savez(path, **{"inputs/x": MATRIX, "output/y": MATRIX})


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (pickled, "this is no such file, or it is damaged"),
        (foreign, "this is no such file, or it is damaged"),
        (misnamed, "the file has other inputs than signature 'serving_default'"),
        (stray, "the file has arrays that are neither inputs nor outputs"),
    ],
)
def test_a_file_of_a_check_that_does_not_fit_is_an_error_of_the_manifest(shop: Shop, write: Any, said: str) -> None:
    shop.add("product", product(), {"w": MATRIX})
    shop.checks = CHECK
    shop.build()
    write(shop.folder / "golden.npz")
    with pytest.raises(ManifestError) as caught:
        shop.verify()
    (fault,) = caught.value.faults
    assert fault.what == said
    assert (fault.place.keys, fault.place.line) == (("check", 0, "file"), 9)


# Against another bundle --------------------------------------------------------------------------


def test_another_bundle_shows_what_changed(tiny: Path, tmp_path: Path) -> None:
    other = changed(tiny, tmp_path / "other", "digits/StatefulPartitionedCall/digits/hidden/kernel", by=3)
    found = bundler.verify(tiny, against=other)
    assert found.reference == str(other)
    assert verdicts(found) == {
        "serving_default": "wrong",
        "edge_strength": "ok",
        "edge_gradients": "ok",
        "moments": "ok",
    }


def test_a_signature_that_the_other_bundle_lacks_is_unchecked(shop: Shop, tiny: Path) -> None:
    shop.add("product", product(), {"w": MATRIX}, '[[model.signature]]\nkey = "product"')
    shop.build()
    (found,) = bundler.verify(shop.bundle, against=tiny).signatures
    assert (found.verdict, found.why) == ("unchecked", "the other bundle has no such signature")


# Before a bundle is published --------------------------------------------------------------------


def test_a_build_that_verifies_publishes_no_bundle_that_is_wrong(shop: Shop, cached_tensorflowjs: None) -> None:
    shop.add_layers("departing", "2.15.0", RELU, LARGER)
    shop.checks = CHECK
    shop.write()
    golden_of_departing(shop, LARGER_IMAGE + 1)
    with pytest.raises(VerificationError) as caught:
        bundler.build(shop.manifest, output=shop.bundle, verify=True)
    assert str(caught.value) == (
        "signature 'serving_default' of model 'departing': output 'larger': differs from the recorded outputs by 0.5"
        " of its largest value at [0, 0, 0, 0] (found 0, expected 1)"
    )
    assert not shop.bundle.exists()
    golden_of_departing(shop, LARGER_IMAGE)
    for _ in range(2):  # the second bundle is up to date
        report = bundler.build(shop.manifest, output=shop.bundle, verify=True, check=False)
        assert report.checks["verify"].detail.startswith("1 of 1 calls are right (TensorFlow.js 4.22.0), in ")


# What is verified --------------------------------------------------------------------------------


def test_a_bundle_alone_needs_sources_that_it_can_name(tiny: Path, tensorflowjs_modules: Path) -> None:
    with pytest.raises(SourceError) as caught:
        bundler.verify(tiny, tfjs=tensorflowjs_modules)
    (fault,) = caught.value.faults
    assert fault.what == "the source is relative to the manifest's folder, which the bundle does not know"
    assert fault.hint == "name the manifest in place of the bundle"


def test_a_bundle_alone_whose_sources_are_absolute(shop: Shop) -> None:
    shop.add("product", product(), {"w": MATRIX})
    shop.write()
    shop.manifest.write_text(shop.manifest.read_text().replace('source = "', f'source = "{shop.folder}/'))
    bundler.build(shop.manifest, output=shop.bundle)
    assert verdicts(bundler.verify(shop.bundle, tfjs=shop.modules)) == {"serving_default": "ok"}


def test_a_source_that_has_changed_since_is_an_error(shop: Shop) -> None:
    shop.add("product", product(), {"w": MATRIX})
    shop.build()
    write_model(shop.folder / "product", product(), {"w": MATRIX + 1})
    with pytest.raises(SourceError, match="the source has changed since the bundle was built"):
        shop.verify()


def test_a_manifest_that_is_not_built_or_has_changed_is_an_error(shop: Shop) -> None:
    shop.add("product", product(), {"w": MATRIX})
    with pytest.raises(BundlerError, match="the bundle is not built") as caught:
        shop.verify()
    assert caught.value.faults[0].hint == f"bundler build {shop.manifest}"
    shop.build()
    shop.add("other", product(), {"w": MATRIX})
    with pytest.raises(VerificationError, match="the bundle is not of this manifest, or of an older one"):
        shop.verify()
    (shop.bundle / RECORD).unlink()
    with pytest.raises(VerificationError, match="this version of bundler did not write this SavedModel"):
        shop.verify()


def test_checks_do_not_make_a_bundle_out_of_date(shop: Shop) -> None:
    shop.add("product", product(), {"w": MATRIX})
    shop.build()
    shop.checks = '[[check]]\nsignature = "serving_default"\nrtol = 0.5\n'
    assert shop.verify().ok


def test_recorded_outputs_change_nothing_that_a_warmed_up_bundle_depends_on(shop: Shop) -> None:
    def digest(**arrays: np.ndarray) -> str:
        np.savez(shop.folder / "golden.npz", **arrays)
        return manifest.read(shop.manifest).digest

    shop.add("product", product(), {"w": MATRIX})
    shop.checks = CHECK + "\n[serving]\nwarmup = true\n"
    shop.write()
    inputs = {"inputs/x": MATRIX}
    assert digest(**inputs) == digest(**inputs, **{"outputs/y": MATRIX}) != digest(**{"inputs/x": MATRIX + 1})


def test_a_foreign_savedmodel_can_be_compared_with_another_only(tiny: Path, tmp_path: Path) -> None:
    copy = tmp_path / "foreign"
    shutil.copytree(tiny, copy)
    (copy / RECORD).unlink()
    with pytest.raises(BundlerError, match="bundler did not write this SavedModel, and its models are not known"):
        bundler.verify(copy)
    with pytest.raises(BundlerError, match="recorded outputs belong to a manifest"):
        bundler.verify(copy, against="golden")
    assert bundler.verify(copy, against=tiny).ok


@pytest.mark.parametrize(("against", "hint"), [("goldne", "did you mean 'golden'?"), ("dist/cat", "")])
def test_a_reference_that_is_not_there_is_an_error(tiny: Path, against: str, hint: str) -> None:
    with pytest.raises(BundlerError, match="there is no such reference") as caught:
        bundler.verify(tiny, against=against)
    (fault,) = caught.value.faults
    assert (fault.found, fault.expected, fault.hint) == (against, "tfjs, golden, or the folder of a bundle", hint)


def test_without_a_file_of_a_check_there_is_nothing_to_record(tiny: Path) -> None:
    with pytest.raises(BundlerError, match="there is nothing to record"):
        bundler.verify(tiny, against=tiny, record=True)


def test_a_folder_of_versions_is_an_error_that_names_the_newest(tiny: Path, tmp_path: Path) -> None:
    for version in ("1", "2"):
        shutil.copytree(tiny, tmp_path / "served" / version)
    with pytest.raises(BundlerError, match="this is neither a manifest nor a SavedModel") as caught:
        bundler.verify(tmp_path / "served")
    assert caught.value.faults[0].hint == f"did you mean {tmp_path / 'served' / '2'}?"


def test_the_document_has_every_output(tiny: Path) -> None:
    document = json.loads(bundler.verify(tiny, against=tiny).to_json())
    assert document["ok"] is True
    first = document["signatures"][0]
    assert (first["key"], first["verdict"]) == ("serving_default", "ok")
    assert first["outputs"][0] == {
        "name": "probabilities",
        "verdict": "ok",
        "why": "",
        "absolute": 0.0,
        "error": 0.0,
        "at": [0, 0],
        "found": first["outputs"][0]["expected"],
        "expected": first["outputs"][0]["expected"],
    }
