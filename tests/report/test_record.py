from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundler import manifest
from bundler.artifacts import artifact
from bundler.disk import outputs
from bundler.disk.digest import file_digests
from bundler.disk.publish import RECORD
from bundler.manifest import Manifest
from bundler.report import Entries, ModelReport, Report, record
from tests.support.models import placeholder, write_model


@pytest.fixture
def spec(tmp_path: Path) -> Manifest:
    """A manifest of one model `m`, and the model."""
    write_model(tmp_path / "m", [placeholder("x")], {"w": np.zeros(3, np.float32)})
    document = {"bundle": {"name": "b"}, "model": [{"name": "m", "source": "m"}]}
    return manifest.of(document, tmp_path / "b.toml")


@pytest.fixture
def built(tmp_path: Path, spec: Manifest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file, and the record of it."""
    monkeypatch.setenv("BUNDLER_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "built"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"12345")
    opened = artifact.open(tmp_path / "m")
    model = ModelReport("m", "m", opened.digest, 2, 12, {"Const": 1, "Placeholder": 1}, ("a note",))
    report = Report(None, "b", Entries(), Entries([model]))
    record.write(folder, spec, report, {"m": file_digests(opened.folder, opened.files)})
    outputs.remember(folder, outputs.state_of(folder, checked=True))
    return folder


def test_the_record_lies_in_the_formats_own_place_for_it(built: Path) -> None:
    document = json.loads((built / "assets.extra" / "bundle.json").read_text())
    assert document["report"]["models"][0]["source"] == "m"
    assert sorted(document["files"]["m"]) == ["group1-shard1of1.bin", "model.json"]


def test_the_record_names_no_machine(built: Path, tmp_path: Path) -> None:
    assert str(tmp_path) not in (built / RECORD).read_text()


def test_the_report_of_an_unchanged_bundle_comes_from_its_record(built: Path, spec: Manifest) -> None:
    report = record.up_to_date(built, spec, checked=True)
    assert report is not None
    assert (report.name, report.output, report.up_to_date) == ("b", built, True)
    assert report.models[0].notes == ("a note",)
    assert report.bytes == 5 + (built / RECORD).stat().st_size


def test_a_bundle_that_was_not_loaded_is_up_to_date_if_no_check_is_asked_for(built: Path, spec: Manifest) -> None:
    outputs.remember(built, outputs.state_of(built, checked=False))
    assert record.up_to_date(built, spec, checked=False) is not None
    assert record.up_to_date(built, spec, checked=True) is None


def test_a_rename_of_the_folder_keeps_the_state_of_its_files(built: Path, spec: Manifest) -> None:
    moved = built.with_name("moved")
    state = outputs.state_of(built, checked=True)
    built.rename(moved)
    outputs.remember(moved, state)
    assert record.up_to_date(moved, spec, checked=True) is not None


def test_a_copy_is_built_anew(built: Path, spec: Manifest) -> None:
    copied = Path(shutil.copytree(built, built.with_name("copied")))
    assert record.up_to_date(copied, spec, checked=False) is None
    outputs.remember(copied, outputs.state_of(built, checked=True))
    assert record.up_to_date(copied, spec, checked=False) is None


def _shard(built: Path) -> Path:
    return built.parent / "m" / "group1-shard1of1.bin"


def _edit(built: Path, **changed: Any) -> None:
    """Edit the record, and make the cache remember that: its content alone decides."""
    path = built / RECORD
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    outputs.remember(built, outputs.state_of(built, checked=True))


def _write_record(built: Path, content: bytes) -> None:
    (built / RECORD).write_bytes(content)
    outputs.remember(built, outputs.state_of(built, checked=True))


def _memory(built: Path) -> Path:
    """What the cache remembers of the output."""
    (path,) = (built.parent / "cache" / "outputs").glob("*.json")
    return path


def _forget(built: Path, **changed: Any) -> None:
    path = _memory(built)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def _edit_report(built: Path, **changed: Any) -> None:
    document = json.loads((built / RECORD).read_text())
    _edit(built, report={**document["report"], **changed})


def _replace(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


def _flip(path: Path) -> None:
    """Another bit, the same size, the same time."""
    times, content = path.stat(), bytearray(path.read_bytes())
    content[2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _replaced_by_a_copy(path: Path) -> None:
    """The same bytes and time in another inode."""
    copied = path.with_name("copy")
    shutil.copy2(path, copied)
    copied.replace(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a weight": lambda built: _shard(built).write_bytes(b"\1" * 12),
    "a shard that is gone": lambda built: _shard(built).unlink(),
    "the model's JSON": lambda built: (built.parent / "m" / "model.json").write_text("{}"),
    "the output's size": lambda built: (built / "saved_model.pb").write_bytes(b"1234"),
    "a bit of the output": lambda built: _flip(built / "saved_model.pb"),
    "a bit of a weight": lambda built: _flip(_shard(built)),
    "an output that is a pipe": lambda built: _replace(built / "saved_model.pb", os.mkfifo),
    "a shard that is a pipe": lambda built: _replace(_shard(built), os.mkfifo),
    "a record that is a pipe": lambda built: _replace(built / RECORD, os.mkfifo),
    "a record that is a device": lambda built: _replace(built / RECORD, lambda path: path.symlink_to("/dev/zero")),
    "a record that is a folder": lambda built: _replace(built / RECORD, Path.mkdir),
    "a record of bytes": lambda built: _write_record(built, b"\xff\xfe"),
    "nesting": lambda built: _write_record(built, b"[" * 100_000),
    "a number of 10,000 digits": lambda built: _write_record(built, b"1" * 10_000),
    "a key too many": lambda built: _edit(built, more=1),
    "no files": lambda built: _edit(built, files={}),
    "files of another model": lambda built: _edit(built, files={"n": {}}),
    "a model without files": lambda built: _edit(built, files={"m": {}}),
    "files that are a list": lambda built: _edit(built, files=[]),
    "a digest that is a number": lambda built: _edit(built, files={"m": {"model.json": 1}}),
    "a file elsewhere": lambda built: _edit(built, files={"m": {"../../../dev/zero": "0"}}),
    "a record of an older version": lambda built: _edit(built, output={"saved_model.pb": {"bytes": 5, "digest": ""}}),
    "a file of the output at another time": lambda built: os.utime(built / "saved_model.pb"),
    "a file of the output in another place": lambda built: _replaced_by_a_copy(built / "saved_model.pb"),
    "no memory": lambda built: _memory(built).unlink(),
    "a memory that is a pipe": lambda built: _replace(_memory(built), os.mkfifo),
    "a memory that is a folder": lambda built: _replace(_memory(built), Path.mkdir),
    "a memory of bytes": lambda built: _memory(built).write_bytes(b"\xff\xfe"),
    "a memory that is nested": lambda built: _memory(built).write_text("[" * 100_000),
    "a memory that is a list": lambda built: _memory(built).write_text("[]"),
    "a memory without files": lambda built: _forget(built, files={}),
    "files of a memory that are a list": lambda built: _forget(built, files=[]),
    "files of a memory without times": lambda built: _forget(built, files={"saved_model.pb": [5]}),
    "files of a memory with a NUL": lambda built: _forget(built, files={"\0": [5, 1, 1, 1]}),
    "a check that is a text": lambda built: _forget(built, checked="yes"),
    "no report": lambda built: _edit(built, report=None),
    "an empty report": lambda built: _edit(built, report={}),
    "a report of other kinds": lambda built: _edit_report(built, name=3),
    "models of other kinds": lambda built: _edit_report(built, models=[1]),
    "signatures of other kinds": lambda built: _edit_report(built, signatures=[{"key": "k"}]),
    "a report with more": lambda built: _edit_report(built, more=1),
    "an output that is gone": lambda built: (built / "saved_model.pb").unlink(),
    "the version": lambda built: _edit(built, bundler="0"),
    "the manifest": lambda built: _edit(built, manifest="0"),
    "no record": lambda built: (built / RECORD).unlink(),
    "no JSON": lambda built: _write_record(built, b"{"),
    "other JSON": lambda built: _write_record(built, b"[]"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_whatever_changed_makes_a_bundle_stale(built: Path, spec: Manifest, change: Callable[[Path], object]) -> None:
    change(built)
    assert record.up_to_date(built, spec, checked=True) is None
