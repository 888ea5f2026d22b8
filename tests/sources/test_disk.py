from __future__ import annotations

import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from bundler import sources
from bundler.artifacts import artifact
from bundler.disk.digest import file_digests
from bundler.errors import SourceError
from bundler.sources import disk
from bundler.threads import Crew


def zipped(folder: Path, path: Path, *roots: str) -> Path:
    """The files of a folder in an archive, once below each root."""
    with zipfile.ZipFile(path, "w") as archive:
        for root in roots:
            for file in folder.iterdir():
                archive.write(file, root + file.name)
    return path


def tarred(folder: Path, path: Path, root: str) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, root)
    return path


@pytest.mark.parametrize("source", ["models/digits", "models/digits/model.json", "./models/../models/digits"])
def test_a_path_is_relative_to_the_base(digits: Path, cache: Path, source: str) -> None:
    found = sources.fetch(source, digits.parents[1], cache=cache)
    assert found.digest == artifact.open(digits).digest
    assert not cache.exists()


def test_a_tilde_is_the_users_home(digits: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(digits.parent))
    assert sources.fetch("~/digits", tmp_path, cache=cache).digest == artifact.open(digits).digest


@pytest.mark.parametrize("inside", ["", "#a/digits", "#a/digits/model.json"])
@pytest.mark.parametrize("suffix", [".tar.gz", ".tgz"])
def test_a_model_in_a_tarball_is_the_model(digits: Path, tmp_path: Path, cache: Path, suffix: str, inside: str) -> None:
    path = tarred(digits, tmp_path / f"models{suffix}", "a/digits")
    found = sources.fetch(path.name + inside, tmp_path, cache=cache)
    assert found.digest == artifact.open(digits).digest


@pytest.mark.parametrize("inside", ["", "#a", "#a/model.json"])
def test_a_model_in_a_zip_is_the_model(digits: Path, tmp_path: Path, cache: Path, inside: str) -> None:
    path = zipped(digits, tmp_path / "models.zip", "a/")
    found = sources.fetch(path.name + inside, tmp_path, cache=cache)
    assert found.digest == artifact.open(digits).digest


def test_two_models_in_an_archive_are_listed_when_none_is_named(digits: Path, tmp_path: Path, cache: Path) -> None:
    zipped(digits, tmp_path / "models.zip", "a/", "b/")
    with pytest.raises(SourceError, match=r"found a/model\.json, b/model\.json") as caught:
        sources.fetch("models.zip", tmp_path, cache=cache)
    assert caught.value.faults[0].hint == "add the path, such as a/model.json"


def test_a_wrong_path_inside_gets_a_hint(digits: Path, tmp_path: Path, cache: Path) -> None:
    zipped(digits, tmp_path / "models.zip", "a/", "b/")
    with pytest.raises(SourceError, match="no such path inside") as caught:
        sources.fetch("models.zip#a/modle.json", tmp_path, cache=cache)
    assert caught.value.faults[0].where == "models.zip#a/modle.json"
    assert caught.value.faults[0].hint == "did you mean 'a/model.json'?"


def test_a_path_inside_may_not_lead_out(digits: Path, tmp_path: Path, cache: Path) -> None:
    zipped(digits, tmp_path / "models.zip", "a/")
    with pytest.raises(SourceError, match="leads out of the archive"):
        sources.fetch("models.zip#../../x", tmp_path, cache=cache)


def test_an_archive_that_changed_is_unpacked_anew(digits: Path, tmp_path: Path, cache: Path) -> None:
    path = zipped(digits, tmp_path / "models.zip", "a/")
    before = sources.fetch("models.zip#a", tmp_path, cache=cache)
    times = path.stat()
    zipped(digits.with_name("edges"), path, "a/")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert sources.fetch("models.zip#a", tmp_path, cache=cache).digest != before.digest


def test_an_archive_of_several_models_is_hashed_once(
    digits: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def noted(folder: Path, names: list[str]) -> dict[str, str]:
        hashed.extend(names)
        return file_digests(folder, names)

    monkeypatch.setattr(disk, "file_digests", noted)
    zipped(digits, tmp_path / "models.zip", "a/", "b/")
    with Crew(2) as crew:
        found = [*crew.map(lambda name: sources.find(f"models.zip#{name}", tmp_path, cache=cache), "aabb")]
    assert [path.name for path in found] == ["a", "a", "b", "b"]
    assert hashed == ["models.zip"]


def test_a_folder_may_have_a_hash_or_an_archives_suffix_in_its_name(digits: Path, tmp_path: Path, cache: Path) -> None:
    for name in ("models.zip#1", "unpacked.zip"):
        shutil.copytree(digits, tmp_path / name)
        assert sources.fetch(name, tmp_path, cache=cache).folder == tmp_path / name


@pytest.mark.parametrize(
    ("source", "what", "hint"),
    [
        ("digit", "no such file or folder", "did you mean 'digits'?"),
        ("digits.zip", "no such archive", ""),
        ("nmp:digits@1.0.0", "this kind of source is unknown", "did you mean 'npm:'?"),
        ("ftp://host/model.json", "this kind of source is unknown", ""),
    ],
)
def test_a_source_that_is_nothing_is_an_error(digits: Path, cache: Path, source: str, what: str, hint: str) -> None:
    with pytest.raises(SourceError, match=what) as caught:
        sources.fetch(source, digits.parent, cache=cache)
    assert caught.value.faults[0].hint == hint
