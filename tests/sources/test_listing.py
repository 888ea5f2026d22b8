"""The models that a source holds, and how a manifest elsewhere spells a path."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from bundler import sources
from bundler.errors import SourceError
from bundler.sources import listing
from tests.support.models import write_early

MODEL = {"modelTopology": {"node": []}, "weightsManifest": []}


def write(path: Path, document: object = MODEL) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def folder(tmp_path: Path, digits: Path) -> Path:
    """A folder of models in every form, among other files."""
    site = tmp_path / "site"
    write(site / "posenet" / "model.json")
    write(site / "hands" / "detect.json")
    write(site / "hands" / "skeleton.json", {"modelArtifacts": MODEL})
    write(site / "saved.json", {"tensorflowjs_models/a/model_topology": "{}"})
    (site / "damaged.json").write_text('{"modelTopology": ')
    write_early(_of_one_shard(tmp_path / "one", digits), site / "old")
    write(site / "package.json", {"name": "modelTopology"})
    write(site / "node_modules" / "other" / "model.json")
    write(site / ".cache" / "model.json")
    return site


def _of_one_shard(folder: Path, model: Path) -> Path:
    folder.mkdir()
    document = json.loads((model / "model.json").read_text())
    (group,) = document["weightsManifest"]
    (folder / "all").write_bytes(b"".join((model / name).read_bytes() for name in group["paths"]))
    group["paths"] = ["all"]
    return write(folder / "model.json", document)


def test_a_folder_gives_all_models_in_it_and_nothing_else(folder: Path) -> None:
    assert sources.listed("site", folder.parent) == [
        "site/damaged.json",
        "site/hands/detect.json",
        "site/hands/skeleton.json",
        "site/old/tensorflowjs_model.pb",
        "site/posenet",
        "site/saved.json",
    ]


@pytest.mark.parametrize(
    ("source", "base", "found"),
    [
        ("posenet", "site", ["posenet"]),
        (".", "site/posenet", ["model.json"]),
        ("..", "site/posenet/inner", ["../model.json"]),
        ("hands/detect.json", "site", ["hands/detect.json"]),
        ("not there", "site", ["not there"]),
    ],
)
def test_one_model_is_itself(folder: Path, source: str, base: str, found: list[str]) -> None:
    (folder / "posenet" / "inner").mkdir()
    assert sources.listed(source, folder.parent / base) == found


@pytest.mark.parametrize("ending", ["zip", "gztar"])
def test_an_archive_gives_paths_inside(folder: Path, cache: Path, ending: str) -> None:
    archive = Path(shutil.make_archive(str(folder.parent / "models"), ending, folder)).name
    listed = sources.listed(archive, folder.parent, cache=cache)
    assert listed[1:3] == [f"{archive}#hands/detect.json", f"{archive}#hands/skeleton.json"]
    assert sources.listed(f"{archive}#hands", folder.parent, cache=cache) == listed[1:3]
    assert sources.listed(listed[2], folder.parent, cache=cache) == listed[2:3]


def test_an_archive_on_the_web_does_too(folder: Path, cache: Path, server) -> None:
    shutil.make_archive(str(server.folder / "models"), "zip", folder)
    shutil.copytree(folder / "posenet", server.folder / "posenet")
    address = f"{server.url}/models.zip"
    assert sources.listed(f"{address}#hands", folder, cache=cache) == [
        f"{address}#hands/detect.json",
        f"{address}#hands/skeleton.json",
    ]
    assert sources.listed(f"{server.url}/posenet/model.json", folder, cache=cache) == [
        f"{server.url}/posenet/model.json"
    ]


class _Notes:
    def __init__(self) -> None:
        self.notes: list[str] = []

    def start(self, what: str, size: int | None = None, *, count: int | None = None) -> None: ...
    def advance(self, amount: int = 1) -> None: ...
    def finish(self) -> None: ...
    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.mark.parametrize(
    ("source", "notes"),
    [
        ("npm:@tiny/digits", ["npm:@tiny/digits@latest is version 1.0.0"]),
        ("npm:@tiny/digits@latest/model", ["npm:@tiny/digits@latest is version 1.0.0"]),
        ("npm:@tiny/digits@1.0.0", []),
    ],
)
def test_a_package_without_a_version_is_the_newest(
    registry, cache: Path, tmp_path: Path, source: str, notes: list[str]
) -> None:
    progress = _Notes()
    listed = sources.listed(source, tmp_path, progress=progress, cache=cache)
    assert (listed, progress.notes) == (["npm:@tiny/digits@1.0.0/model/model.json"], notes)


def test_a_package_that_is_not_there_is_an_error_in_npms_words(registry, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="npm:@tiny/nothing: npm cannot fetch the package"):
        sources.listed("npm:@tiny/nothing", tmp_path, cache=cache)


def test_a_manifest_still_needs_an_exact_version(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is no package with an exact version"):
        sources.find("npm:@tiny/digits", tmp_path, cache=cache)


# What is refused ----------------------------------------------------------------------------------


def test_a_folder_of_other_things_is_explained(tmp_path: Path) -> None:
    write(tmp_path / "site" / "data.json", {})
    with pytest.raises(SourceError, match="site: holds no TensorFlow.js model") as caught:
        sources.listed("site", tmp_path)
    assert caught.value.faults[0].hint == "its JSON files have no modelTopology: data.json"


def test_a_folder_of_another_format_says_which(tmp_path: Path) -> None:
    (tmp_path / "out" / "saved").mkdir(parents=True)
    (tmp_path / "out" / "saved" / "saved_model.pb").touch()
    with pytest.raises(SourceError, match="^out: saved: is a TensorFlow SavedModel"):
        sources.listed("out", tmp_path)
    with pytest.raises(SourceError, match="^out/saved: is a TensorFlow SavedModel"):
        sources.listed("out/saved", tmp_path)


def test_folders_in_one_another_end_somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "site" / "a" / "model.json")
    monkeypatch.chdir(tmp_path / "site")
    for _ in range(1200):
        os.mkdir("d")
        os.chdir("d")
    try:
        assert sources.listed("site", tmp_path) == ["site/a"]
        shutil.rmtree(tmp_path / "site" / "a")
        with pytest.raises(SourceError, match="holds no TensorFlow.js model"):
            sources.listed("site", tmp_path)
    finally:
        for _ in range(1200):  # too deep for shutil
            os.chdir("..")
            os.rmdir("d")


def test_very_many_models_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path / "site" / f"{name}.json")
    monkeypatch.setattr(listing, "_MOST_MODELS", 2)
    with pytest.raises(SourceError, match=r"site: holds too many models \(found more, expected at most 2\)"):
        sources.listed("site", tmp_path)


def test_very_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).touch()
    monkeypatch.setattr(listing, "_MOST_FILES", 2)
    with pytest.raises(SourceError, match=r"has too many files to look for models \(expected at most 2\)"):
        sources.listed(".", tmp_path)


def test_a_path_inside_that_is_not_there_gets_a_hint(tmp_path: Path, cache: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("posenet/model.json", json.dumps(MODEL))
    with pytest.raises(SourceError, match="there is no such path inside") as caught:
        sources.listed("a.zip#posenet/modle.json", tmp_path, cache=cache)
    assert caught.value.faults[0].hint == "did you mean 'posenet/model.json'?"


@pytest.mark.parametrize("name", ["a\nb", 'a"b', "a'b\\c", "\x1b[31m", "ü"])
def test_names_of_any_characters_are_listed(tmp_path: Path, name: str) -> None:
    write(tmp_path / "site" / f"{name}.json")
    assert sources.listed("site", tmp_path) == [f"site/{name}.json"]


# Paths from another folder ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "folder", "moved"),
    [
        ("models/posenet", ".", "models/posenet"),
        ("./models/../models/posenet", "", "models/posenet"),
        ("models/posenet", "models", "posenet"),
        ("models/posenet", "manifests/new", "../../models/posenet"),
        ("models.zip#posenet/model.json", "manifests", "../models.zip#posenet/model.json"),
        ("models", "models", "."),
        ("a:b", ".", "./a:b"),
        ("./~", ".", "./~"),
        ("npm:@tiny/digits@1.0.0/a.json", "manifests", "npm:@tiny/digits@1.0.0/a.json"),
        ("https://host/a.zip#b", "manifests", "https://host/a.zip#b"),
        ("not/there", "not", "there"),
        ("ftp://host/model.json", "manifests", "ftp://host/model.json"),
    ],
)
def test_a_path_is_spelled_from_the_manifests_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, folder: str, moved: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "models" / "posenet" / "model.json")
    (tmp_path / "models.zip").touch()
    (tmp_path / "a:b").touch()
    assert sources.moved(source, Path(), Path(folder)) == moved


def test_a_path_leads_to_the_same_file_through_a_link(tmp_path: Path) -> None:
    model = write(tmp_path / "far" / "away" / "models" / "a.json")
    (tmp_path / "far" / "away" / "manifests").mkdir()
    (tmp_path / "near").symlink_to(tmp_path / "far" / "away" / "manifests")
    moved = sources.moved(str(model), tmp_path, tmp_path / "near")
    assert os.path.samefile(tmp_path / "near" / moved, model)
