from __future__ import annotations

from pathlib import Path

import pytest
import tomli

from bundler.errors import LockError
from bundler.lockfile import Lock, is_ours, path_of, read, spelled

SUM = "0123456789abcdef" * 4
LOCK = Lock.model_validate(
    {
        "bundler": "0.1.0",
        "manifest": {
            "digest": SUM,
            "bundle": {"name": "pets"},
            "model": [
                {
                    "name": "cats/tabby",
                    "source": "npm:@pets/cats@1.2.3/tabby",
                    "shapes": {"image:0": [-1, 224, 224, 3]},
                    "signature": [{"key": "serving_default", "rename": {"a": 'x"y', "b/c": "ü\x7f\n"}}],
                },
                {"name": "dog", "source": "dog"},
            ],
        },
        "fetched": {"npm:@pets/cats@1.2.3": {"object": SUM, "integrity": "sha512-AAAA=="}},
        "files": {
            "cats/tabby": {"model.json": {"size": 3, "sha256": SUM}},
            "dog": {"model.json": {"size": 0, "sha256": SUM}, "a b/ä.bin": {"size": 7, "sha256": SUM}},
        },
    }
)
TEXT = f"""\
# Written by `bundler lock`: the settings and files of a bundle. `bundler build --locked` takes no others.

lock = 1
bundler = "0.1.0"

[manifest]
digest = "{SUM}"

[manifest.bundle]
name = "pets"

[[manifest.model]]
name = "cats/tabby"
source = "npm:@pets/cats@1.2.3/tabby"
shapes = {{ "image:0" = [-1, 224, 224, 3] }}

[[manifest.model.signature]]
key = "serving_default"
rename = {{ a = "x\\"y", "b/c" = "ü\\u007f\\n" }}

[[manifest.model]]
name = "dog"
source = "dog"

[fetched."npm:@pets/cats@1.2.3"]
object = "{SUM}"
integrity = "sha512-AAAA=="

[files."cats/tabby"]
"model.json" = {{ size = 3, sha256 = "{SUM}" }}

[files.dog]
"model.json" = {{ size = 0, sha256 = "{SUM}" }}
"a b/ä.bin" = {{ size = 7, sha256 = "{SUM}" }}
"""


def test_a_lock_is_a_toml_file_that_a_person_can_review() -> None:
    assert spelled(LOCK).decode() == TEXT


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "pets.lock").write_bytes(spelled(LOCK))
    assert read(tmp_path / "pets.lock") == LOCK
    assert tomli.loads(TEXT)["manifest"]["model"][0]["signature"][0]["rename"]["b/c"] == "ü\x7f\n"


def test_a_file_name_that_is_not_utf_8_survives(tmp_path: Path) -> None:
    odd = LOCK.model_copy(update={"files": {"dog": {"\udcff.json": LOCK.files["dog"]["model.json"]}}})
    (tmp_path / "pets.lock").write_bytes(spelled(odd))
    assert read(tmp_path / "pets.lock") == odd


@pytest.mark.parametrize(
    ("manifest", "lock"), [("a/pets.toml", "a/pets.lock"), ("pets.v2.toml", "pets.v2.lock"), ("pets", "pets.lock")]
)
def test_the_lock_lies_beside_the_manifest(manifest: str, lock: str) -> None:
    assert path_of(Path(manifest)) == Path(lock)


def test_a_missing_lock_is_none(tmp_path: Path) -> None:
    assert read(tmp_path / "pets.lock") is None


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "bundler: Field required"),
        (b"[", "(at end of document)"),
        (b"\xff", "Invalid statement"),
        (TEXT.replace("lock = 1", "lock = 2").encode(), "lock: Input should be 1"),
        (TEXT.replace("size = 3", 'size = "3"').encode(), "files.cats/tabby.model.json.size: Input should be"),
        (TEXT.replace("size = 3", "size = -3").encode(), "files.cats/tabby.model.json.size: Input should be"),
        (TEXT.replace(f'"{SUM}" }}', '"0" }').encode(), "files.cats/tabby.model.json.sha256: String should match"),
        (TEXT.replace('"a b/ä.bin"', '"../a"').encode(), "files.dog.../a.[key]: Value error, leads out of"),
        (TEXT.replace("integrity", "integritee").encode(), "integritee: Extra inputs are not permitted"),
        (b"<<<<<<< ours\n" + TEXT.encode(), "Invalid statement"),
        (b"a = " + b"[" * 100_000, ""),
    ],
)
def test_a_file_that_is_no_lock_is_an_error_that_says_why(content: bytes, found: str, tmp_path: Path) -> None:
    (tmp_path / "pets.lock").write_bytes(content)
    with pytest.raises(LockError, match="is no lock that this version of bundler wrote") as caught:
        read(tmp_path / "pets.lock")
    (fault,) = caught.value.faults
    assert found in fault.found
    assert (fault.where, fault.hint) == (str(tmp_path / "pets.lock"), "`bundler lock` writes it anew")


def test_a_folder_in_place_of_a_lock_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pets.lock").mkdir()
    with pytest.raises(LockError, match=r"pets.lock: the lock cannot be read \(found a folder, no regular file\)"):
        read(tmp_path / "pets.lock")


@pytest.mark.parametrize(
    ("content", "ours"), [(None, True), (spelled(LOCK), True), (spelled(LOCK)[:40], True), (b"[[package]]\n", False)]
)
def test_a_lock_of_another_program_is_not_ours(content: bytes | None, ours: bool, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "poetry.lock").write_bytes(content)
    assert is_ours(tmp_path / "poetry.lock") is ours
