from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundler import artifact, manifest, record
from bundler.manifest import Manifest
from bundler.publish import RECORD
from bundler.report import ModelReport, Report
from tests.models import placeholder, write_model


@pytest.fixture
def spec(tmp_path: Path) -> Manifest:
    """A manifest of one model `m`, and the model."""
    write_model(tmp_path / "m", [placeholder("x")], {"w": np.zeros(3, np.float32)})
    document = {"bundle": {"name": "b"}, "model": [{"name": "m", "source": "m"}]}
    return manifest.of(document, tmp_path / "b.toml")


@pytest.fixture
def built(tmp_path: Path, spec: Manifest) -> Path:
    """A folder with a file, and the record of it."""
    folder = tmp_path / "built"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"12345")
    opened = artifact.open(tmp_path / "m")
    model = ModelReport("m", "m", opened.digest, 2, 12, {"Const": 1, "Placeholder": 1}, ("a note",))
    report = Report(None, "b", (), (model,))
    record.write(folder, spec, report, {"m": artifact.digests(opened.folder, opened.files)})
    return folder


def test_the_record_lies_in_the_formats_own_place_for_it(built: Path) -> None:
    document = json.loads((built / "assets.extra" / "bundle.json").read_text())
    assert document["output"] == {"saved_model.pb": 5}
    assert document["report"]["models"][0]["source"] == "m"


def test_the_record_names_no_machine(built: Path, tmp_path: Path) -> None:
    assert str(tmp_path) not in (built / RECORD).read_text()


def test_what_has_not_changed_is_told_from_the_record(built: Path, spec: Manifest) -> None:
    report = record.fresh(built, spec)
    assert report is not None
    assert (report.name, report.output, report.up_to_date) == ("b", built, True)
    assert report.models[0].notes == ("a note",)
    assert report.bytes == 5 + (built / RECORD).stat().st_size


def _shard(built: Path) -> Path:
    return built.parent / "m" / "group1-shard1of1.bin"


def _edit(built: Path, **changed: Any) -> None:
    path = built / RECORD
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a weight": lambda built: _shard(built).write_bytes(b"\1" * 12),
    "a shard that is gone": lambda built: _shard(built).unlink(),
    "the model's JSON": lambda built: (built.parent / "m" / "model.json").write_text("{}"),
    "the output's size": lambda built: (built / "saved_model.pb").write_bytes(b"1234"),
    "an output that is gone": lambda built: (built / "saved_model.pb").unlink(),
    "the version": lambda built: _edit(built, bundler="0"),
    "the manifest": lambda built: _edit(built, manifest="0"),
    "no record": lambda built: (built / RECORD).unlink(),
    "no JSON": lambda built: (built / RECORD).write_text("{"),
    "other JSON": lambda built: (built / RECORD).write_text("[]"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_whatever_changed_makes_a_bundle_stale(built: Path, spec: Manifest, change: Callable[[Path], object]) -> None:
    change(built)
    assert record.fresh(built, spec) is None
