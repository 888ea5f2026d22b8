from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundler.artifacts import artifact, document
from bundler.disk.digest import sha256
from bundler.errors import SourceError
from tests.support.models import write_model
from tests.support.places import ROOT

DIGITS = ROOT / "manifests" / "models" / "digits"
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
        (gzip.compress(b"{}", mtime=0)[:-9], "cannot be read", "Compressed file ended before the end-of-stream marker"),
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


@pytest.mark.parametrize("name", ["./model.json", "model.json", ".//./model.json"])
def test_the_entry_is_none_of_its_own_shards(digits: Path, name: str) -> None:
    with pytest.raises(SourceError, match="the model's JSON is one of its own shards"):
        artifact.open(with_paths(digits, SHARDS[0], name))


def test_a_shard_may_have_the_name_of_the_entry_in_another_folder(digits: Path) -> None:
    (digits / "weights").mkdir()
    (digits / "weights" / "model.json").write_bytes(b"1234")
    assert artifact.open(with_paths(digits, "weights/model.json")).files == ("model.json", "weights/model.json")


def test_many_missing_shards_are_listed_in_part_and_looked_for_in_the_folder_once(
    digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[object] = []
    monkeypatch.setattr(os, "scandir", lambda folder, plain=os.scandir: listed.append(folder) or plain(folder))
    with pytest.raises(SourceError) as caught:
        artifact.open(with_paths(digits, *(f"group1-shard{number}of2.bin" for number in range(3, 5003))))
    assert len(caught.value.faults) == 20
    assert str(caught.value).endswith("group1-shard22of2.bin: the shard is missing\n… and 4,980 more")
    assert caught.value.faults[0].hint.startswith("did you mean 'group1-shard")
    assert len(listed) == 1


def test_a_link_in_a_folder_of_shards_is_followed_once(digits: Path) -> None:
    (digits / "real").mkdir()
    (digits / "link").symlink_to("real")
    (digits / "real" / "w.bin").write_bytes(b"1234")
    assert artifact.open(with_paths(digits, "link/w.bin")).groups == (("link/w.bin",),)
    (digits / "link").unlink()
    (digits / "link").symlink_to(digits.parent)
    (digits.parent / "w.bin").write_bytes(b"1234")
    with pytest.raises(SourceError, match="a link leads out of the model's folder"):
        artifact.open(with_paths(digits, "link/w.bin"))


def as_nobody(call: str, *paths: Path) -> str:
    """What a call says to a user who owns nothing."""
    code = f"""
import os, sys
from pathlib import Path
from bundler import tfjs
from bundler.artifacts import artifact
from bundler.errors import SourceError
tfjs.read(artifact.open(Path({str(DIGITS)!r})))  # which imports what this user may not be able to read
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
path = Path(sys.argv[1])
try:
    {call}
except SourceError as error:
    print(error)
"""
    command = [sys.executable, "-c", code, *map(str, paths)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.replace(
        str(paths[0]), "m"
    )


SAID = "m/{}: cannot be read (found Permission denied)\n"
DENIED = [
    (".", 0o600, "artifact.open(path)", "model.json"),
    ("model.json", 0, "artifact.open(path)", "model.json"),
    ("d", 0, "artifact.open(path)", "d/w.bin"),
    (
        "d/w.bin",
        0,
        "tfjs.read(artifact.open(path)).graph.weights['w'].array()",
        "d/w.bin",
    ),
    ("d/w.bin", 0, "artifact.open(path).digest", "d/w.bin"),
]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")
@pytest.mark.parametrize(("name", "mode", "call", "said"), DENIED)
def test_what_the_user_may_not_read_is_an_error(name: str, mode: int, call: str, said: str) -> None:
    # Not in pytest's folders, which are the user's own alone.
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made, "m")
        write_model(folder, [], {"w": np.array([1], np.float32)})
        (folder / "d").mkdir()
        (folder / "group1-shard1of1.bin").rename(folder / "d" / "w.bin")
        document = (folder / "model.json").read_text()
        (folder / "model.json").write_text(document.replace("group1-shard1of1.bin", "d/w.bin"))
        Path(made).chmod(0o755)
        (folder / name).chmod(mode)
        try:
            assert as_nobody(call, folder) == SAID.format(said)
        finally:
            (folder / name).chmod(0o755)


def test_a_file_that_is_gone_has_no_digest_and_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"shard\.bin: cannot be read \(found .*No such file"):
        sha256(tmp_path / "shard.bin")
