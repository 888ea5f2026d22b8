from __future__ import annotations

import json
from pathlib import Path

import pytest

from bundler import manifest
from bundler.cli.console import Console
from bundler.errors import ManifestError, Place
from bundler.manifest import Compat, Manifest
from tests.support.places import TESTS

FAULTY = TESTS / "data" / "manifests"

WHOLE = """
[bundle]
name = "pets"
output = "../out"
version = 3
tags = ["serve", "gpu"]
compat = "tflite"
weights = "variables"

[[model]]
name = "cat/small"
source = "npm:cat@1.0.0/model.json"
digest = "sha256:AB01234567890123456789012345678901234567890123456789012345678901"
format = "graph"
compat = "tfjs"

[[model.signature]]
key = "find"
inputs = ["image"]
outputs = ["ears/BiasAdd", "tail:1"]
rename = { "ears/BiasAdd" = "ears", image = "input" }
method_name = "classify"

[[model.signature]]
key = "all"

[[model]]
name = "dog"
source = "dog"
"""


def written(folder: Path, text: str) -> Manifest:
    path = folder / "pets.toml"
    path.write_text(text)
    return manifest.read(path)


def pets(bundle: str = "", *models: str) -> str:
    """A manifest with more lines for the bundle, and a model for each of the given names."""
    tables = [f'[[model]]\nname = "{name}"\nsource = "{name}"\ntags = ["{name}"]' for name in models]
    text = "\n".join(['[bundle]\nname = "pets"', bundle, *tables])
    return text if "tags" in bundle else text.replace("\ntags", "\n#")


def test_there_is_a_table_of_faults() -> None:
    assert sorted(path.stem for path in FAULTY.glob("*.toml")) == sorted(path.stem for path in FAULTY.glob("*.txt"))


@pytest.mark.parametrize("fault", sorted(path.stem for path in FAULTY.glob("*.toml")))
def test_a_fault_is_shown_with_its_place(
    fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(FAULTY)
    with pytest.raises(ManifestError) as caught:
        manifest.read(Path(f"{fault}.toml"))
    Console().show_error(caught.value)
    assert capsys.readouterr().err == Path(f"{fault}.txt").read_text(encoding="utf-8")


def test_every_field_arrives(tmp_path: Path) -> None:
    read = written(tmp_path, WHOLE)
    cat, dog = read.models
    find, everything = cat.signatures
    assert read.path == tmp_path / "pets.toml"
    assert read.folder == tmp_path
    assert (read.bundle.name, read.bundle.version, read.bundle.layout) == ("pets", 3, "signatures")
    assert (read.bundle.tags, read.bundle.weights) == (("serve", "gpu"), "variables")
    assert (cat.name, cat.source, cat.format) == ("cat/small", "npm:cat@1.0.0/model.json", "graph")
    assert cat.digest == "sha256:ab01234567890123456789012345678901234567890123456789012345678901"
    assert (find.key, find.inputs, find.outputs) == ("find", ("image",), ("ears/BiasAdd", "tail:1"))
    assert find.rename == {"ears/BiasAdd": "ears", "image": "input"}
    assert (everything.inputs, everything.outputs, everything.rename) == (None, None, {})
    assert (dog.digest, dog.format, dog.tags, dog.signatures) == (None, "auto", None, ())


def test_a_model_overrides_compat(tmp_path: Path) -> None:
    read = written(tmp_path, WHOLE)
    assert [read.compat(model) for model in read.models] == [Compat.TFJS, Compat.TFLITE]


@pytest.mark.parametrize("method", ["predict", "classify", "regress"])
@pytest.mark.parametrize("prefix", ["", "tensorflow/serving/"])
def test_a_method_is_known_by_its_full_name(tmp_path: Path, method: str, prefix: str) -> None:
    signature = f'\n[[model.signature]]\nkey = "x"\nmethod_name = "{prefix}{method}"'
    read = written(tmp_path, pets("", "cat") + signature)
    assert read.models[0].signatures[0].method_name == f"tensorflow/serving/{method}"


@pytest.mark.parametrize(
    ("bundle", "models", "keys"),
    [
        ("", ["cat"], ["serving_default"]),
        ("", ["cat", "dog"], ["cat", "dog"]),
        ('layout = "tags"', ["cat", "dog"], ["serving_default", "serving_default"]),
    ],
)
def test_a_model_without_signatures_has_a_key(tmp_path: Path, bundle: str, models: list[str], keys: list[str]) -> None:
    read = written(tmp_path, pets(bundle, *models))
    assert [signature.key for model in read.models for signature in read.signatures(model)] == keys


def test_a_model_keeps_its_own_signatures(tmp_path: Path) -> None:
    read = written(tmp_path, WHOLE)
    assert read.signatures(read.models[0]) == read.models[0].signatures


def test_models_with_their_own_tags_may_share_a_key(tmp_path: Path) -> None:
    one = '\n[[model.signature]]\nkey = "x"'
    cat, dog = pets('layout = "tags"', "cat") + one, pets('layout = "tags"', "dog") + one
    read = written(tmp_path, cat + dog[dog.index("\n[[model]]") :])
    assert [model.signatures[0].key for model in read.models] == ["x", "x"]


def test_names_may_be_swapped_and_shared_by_an_input_and_an_output(tmp_path: Path) -> None:
    signature = '\n[[model.signature]]\nkey = "x"\ninputs = ["image"]\noutputs = ["a", "b"]\n'
    swapped = written(tmp_path, pets("", "cat") + signature + 'rename = { a = "b", b = "a" }')
    shared = written(tmp_path, pets("", "cat") + signature + 'rename = { a = "image" }')
    assert swapped.models[0].signatures[0].rename == {"a": "b", "b": "a"}
    assert shared.models[0].signatures[0].rename == {"a": "image"}


@pytest.mark.parametrize(
    ("bundle", "override", "expected"),
    [
        ("", None, "dist/pets"),
        ("version = 2", None, "dist/pets/2"),
        ('output = "../out"', None, "etc/../out"),
        ('output = "/srv/out"\nversion = 2', None, "/srv/out/2"),
        ('output = "../out"', "here", "here"),
        ("version = 2", "here", "here/2"),
    ],
)
def test_output_is_the_override_or_beside_the_manifest_or_in_dist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle: str, override: str | None, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("etc").mkdir()
    read = written(Path("etc"), pets(bundle, "cat"))
    assert read.output(Path(override) if override else None) == Path(expected)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    assert written(tmp_path, "\ufeff" + pets("", "cat")).bundle.name == "pets"


def test_a_missing_file_is_an_error_that_names_a_similar_one(tmp_path: Path) -> None:
    (tmp_path / "posenet.toml").touch()
    with pytest.raises(ManifestError) as caught:
        manifest.read(tmp_path / "postnet.toml")
    (fault,) = caught.value.faults
    assert (fault.place, fault.what) == (Place(file=str(tmp_path / "postnet.toml")), "there is no such file")
    assert fault.hint == "did you mean 'posenet.toml'?"


def test_a_folder_is_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="is a folder, not a manifest"):
        manifest.read(tmp_path)


def test_each_manifest_is_read_though_others_are_faulty(tmp_path: Path) -> None:
    (tmp_path / "pets.toml").write_text(pets("", "cat"))
    faulty, read, nothing = manifest.read_each(
        [FAULTY / "no-models.toml", tmp_path / "pets.toml", FAULTY / "nothing.toml"]
    )
    assert isinstance(read, Manifest)
    assert [str(error).splitlines() for error in (faulty, nothing)] == [
        [f"{FAULTY}/no-models.toml:1: model: is empty (expected at least one entry)"],
        [f"{FAULTY}/nothing.toml: bundle: is required", f"{FAULTY}/nothing.toml: model: is required"],
    ]


def test_two_manifests_may_not_write_one_folder(tmp_path: Path) -> None:
    first, second = tmp_path / "a.toml", tmp_path / "b.toml"
    first.write_text(pets('output = "out"', "cat"))
    second.write_text(pets('output = "x/../out"', "dog"))
    read, error = manifest.read_each([first, second])
    assert isinstance(read, Manifest)
    assert str(error) == f"{second}:3: bundle.output: writes the folder that {first} writes (found {tmp_path}/x/../out)"


def test_manifests_are_read_in_order(tmp_path: Path) -> None:
    paths = [tmp_path / "b.toml", tmp_path / "a.toml"]
    for path in paths:
        path.write_text(pets(f'output = "{path.stem}"', "cat"))
    assert [read.path for read in manifest.read_each(paths) if isinstance(read, Manifest)] == paths


def test_a_place_has_the_line_of_its_key_or_of_the_table_around_it(tmp_path: Path) -> None:
    read = written(tmp_path, WHOLE)
    path = str(tmp_path / "pets.toml")
    assert read.place("model", 0, "source") == Place(("model", 0, "source"), path, 12)
    assert read.place("model", 1, "digest") == Place(("model", 1, "digest"), path, 27)
    assert read.place("model", 0, "signature", 0, "outputs", 1).line == 20
    assert read.place() == Place((), path)


def test_a_manifest_that_is_no_file_has_places_without_file_and_line() -> None:
    document = {"bundle": {"name": "pets"}, "model": [{"name": "cat", "source": "cat"}]}
    assert manifest.of(document, Path("pets")).place("model", 0) == Place(("model", 0))
    with pytest.raises(ManifestError) as caught:
        manifest.of({**document, "model": [{"name": "cat"}]}, Path("pets"))
    assert str(caught.value) == "model[0].source: is required"


def test_the_schema_describes_every_field() -> None:
    made = manifest.schema()
    specs = [made["$defs"][name]["properties"] for name in ("BundleSpec", "ModelSpec", "SignatureSpec")]
    undescribed = [name for spec in specs for name, field in spec.items() if not field.get("description")]
    assert undescribed == []
    names = ["name", "source", "digest", "format", "compat", "shapes", "allow_ops", "tags", "signature"]
    assert list(specs[1]) == names
    assert "null" not in json.dumps(made)


def test_the_schema_is_the_same_each_time() -> None:
    assert json.dumps(manifest.schema()) == json.dumps(manifest.schema())
