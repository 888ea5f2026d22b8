from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bundler import artifact, document
from bundler.errors import SourceError

DIGITS = Path(__file__).parents[1] / "manifests" / "models" / "digits"
SHARDS = ("group1-shard1of2.bin", "group1-shard2of2.bin")


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """A copy of a model in two shards, to be spoilt."""
    return Path(shutil.copytree(DIGITS, tmp_path / "digits"))


def with_manifest(folder: Path, groups: Any) -> Path:
    document = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**document, "weightsManifest": groups}))
    return folder


def with_paths(folder: Path, *paths: str) -> Path:
    return with_manifest(folder, [{"paths": list(paths), "weights": []}])


def test_a_folder_and_its_model_json_are_the_same_model() -> None:
    by_folder, by_file = artifact.open(DIGITS), artifact.open(DIGITS / "model.json")
    assert by_folder == by_file
    assert by_folder.groups == (SHARDS,)
    assert by_folder.files == ("model.json", *SHARDS)
    assert by_folder.path(SHARDS[0]) == DIGITS / SHARDS[0]
    assert by_folder.document["format"] == "graph-model"


def test_a_gzipped_entry_reads_as_the_plain_one(digits: Path) -> None:
    entry = digits / "model.json"
    entry.write_bytes(gzip.compress(entry.read_bytes()))
    assert artifact.open(digits).document == artifact.open(DIGITS).document


def test_an_entry_may_begin_with_a_byte_order_mark(digits: Path) -> None:
    entry = digits / "model.json"
    entry.write_bytes(b"\xef\xbb\xbf" + entry.read_bytes())
    assert artifact.open(digits).groups == (SHARDS,)


@pytest.mark.parametrize("groups", [None, []])
def test_a_model_without_weights_has_no_groups(digits: Path, groups: Any) -> None:
    assert artifact.open(with_manifest(digits, groups)).groups == ()


def test_a_shard_that_is_named_twice_is_one_file(digits: Path) -> None:
    assert artifact.open(with_paths(digits, SHARDS[0], SHARDS[0])).files == ("model.json", SHARDS[0])


def test_the_digest_is_that_of_the_content_wherever_it_lies(digits: Path) -> None:
    assert artifact.open(digits).digest == artifact.open(DIGITS).digest
    assert artifact.open(digits).digest.startswith("sha256:")


def test_the_digest_does_not_depend_on_files_that_are_not_the_models(digits: Path) -> None:
    (digits / "README.md").write_text("words")
    assert artifact.open(digits).digest == artifact.open(DIGITS).digest


@pytest.mark.parametrize("name", ["model.json", *SHARDS])
def test_the_digest_changes_with_every_file(digits: Path, name: str) -> None:
    with (digits / name).open("ab") as file:
        file.write(b" ")
    assert artifact.open(digits).digest != artifact.open(DIGITS).digest


def test_bytes_that_move_from_one_shard_to_the_next_change_the_digest(digits: Path) -> None:
    first, second = digits / SHARDS[0], digits / SHARDS[1]
    moved = first.read_bytes()[-4:]
    second.write_bytes(moved + second.read_bytes())
    first.write_bytes(first.read_bytes()[:-4])
    assert artifact.open(digits).digest != artifact.open(DIGITS).digest


@pytest.mark.parametrize(
    ("content", "what", "found"),
    [
        (b'{\n "format": oops}', "is not JSON", "Expecting value at line 2, column 12"),
        (b"", "is not JSON", "Expecting value at line 1, column 1"),
        (b"\xff\xfe{", "is not JSON", "no UTF-8 at byte 0"),
        (b"[]", "is no TensorFlow.js model", "a JSON array"),
        (b"null", "is no TensorFlow.js model", "a JSON null"),
        (b"[" * 100_000, "is nested too deeply for a model", ""),
        (gzip.compress(b"{}")[:-9], "cannot be read", "Compressed file ended before the end-of-stream marker"),
        (b"\x1f\x8b" + b"junk" * 9, "cannot be read", "Unknown compression method"),
    ],
)
def test_an_entry_that_is_no_json_object_is_an_error_that_says_where(
    tmp_path: Path, content: bytes, what: str, found: str
) -> None:
    entry = tmp_path / "model.json"
    entry.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        artifact.open(tmp_path)
    (fault,) = caught.value.faults
    assert (fault.where, fault.what) == (str(entry), what)
    assert found in fault.found


def test_json_that_unpacks_to_too_much_is_refused(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = digits / "model.json"
    entry.write_bytes(gzip.compress(entry.read_bytes()))
    monkeypatch.setattr(document, "MAX_BYTES", 1000)
    with pytest.raises(SourceError, match="too large for a model's JSON"):
        artifact.open(digits)


@pytest.mark.parametrize(
    "path",
    ["../secret.bin", "/etc/passwd", "a/../../secret.bin", "C:/secret.bin", "a\\b.bin", "\\\\host\\share", "", "a\0b"],
)
def test_a_path_that_may_leave_the_folder_is_refused(digits: Path, path: str) -> None:
    with pytest.raises(SourceError) as caught:
        artifact.open(with_paths(digits, path))
    assert caught.value.faults[0].found == repr(path)


@pytest.mark.parametrize("path", ["./group1-shard1of2.bin", "a..b.bin", "deep/er/weights.bin"])
def test_a_path_inside_the_folder_is_fine(digits: Path, path: str) -> None:
    (digits / path).parent.mkdir(parents=True, exist_ok=True)
    (digits / path).write_bytes(b"1234")
    assert artifact.open(with_paths(digits, path)).groups == ((path,),)


def test_a_link_out_of_the_folder_is_refused(digits: Path) -> None:
    outside = digits.parent / "secret.bin"
    outside.write_bytes(b"secret")
    (digits / SHARDS[1]).unlink()
    (digits / SHARDS[1]).symlink_to(outside)
    with pytest.raises(SourceError) as caught:
        artifact.open(digits)
    (fault,) = caught.value.faults
    assert (fault.where, fault.found) == (str(digits / SHARDS[1]), str(outside.resolve()))


def test_a_link_inside_the_folder_is_followed(digits: Path) -> None:
    (digits / SHARDS[1]).rename(digits / "blob")
    (digits / SHARDS[1]).symlink_to("blob")
    assert artifact.open(digits).digest == artifact.open(DIGITS).digest


def test_every_missing_shard_is_named_with_what_lies_near(digits: Path) -> None:
    (digits / SHARDS[0]).unlink()
    (digits / SHARDS[1]).rename(digits / "group1-shard2of2.bin.txt")
    with pytest.raises(SourceError) as caught:
        artifact.open(digits)
    assert [(fault.where, fault.what) for fault in caught.value.faults] == [
        (str(digits / name), "the shard is missing") for name in SHARDS
    ]
    assert caught.value.faults[1].hint == "did you mean 'group1-shard2of2.bin.txt'?"


@pytest.mark.parametrize("groups", [7, "x", ["x"], [{}], [{"paths": "abc"}], [{"paths": [1]}], {"paths": []}])
def test_a_malformed_weight_manifest_is_an_error_of_the_file(digits: Path, groups: Any) -> None:
    with pytest.raises(SourceError, match="weightsManifest is malformed"):
        artifact.open(with_manifest(digits, groups))


def test_what_is_not_there_is_an_error_with_a_hint(digits: Path) -> None:
    with pytest.raises(SourceError, match="no such file") as caught:
        artifact.open(digits / "modle.json")
    assert caught.value.faults[0].hint == "did you mean 'model.json'?"


def test_a_folder_whose_model_has_another_name_is_an_error_that_names_it(digits: Path) -> None:
    (digits / "model.json").rename(digits / "digits.json")
    (digits / "package.json").write_text("{}")
    with pytest.raises(SourceError, match=r"the folder has no model\.json") as caught:
        artifact.open(digits)
    assert caught.value.faults[0].hint == "name the file itself: digits.json"


def test_a_file_that_is_gone_has_no_digest_and_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"shard\.bin: cannot be read \(found .*No such file"):
        artifact.sha256(tmp_path / "shard.bin")
