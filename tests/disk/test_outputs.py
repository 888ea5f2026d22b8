"""What the cache remembers of an output."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.disk import outputs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BUNDLER_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"graph")
    return folder


def test_the_state_of_an_output_is_kept(folder: Path) -> None:
    state = outputs.state_of(folder, checked=True)
    outputs.remember(folder, state)
    assert outputs.recall(folder) == state


def test_a_state_that_another_build_replaced_meanwhile_is_not_kept(folder: Path) -> None:
    mine = outputs.state_of(folder, checked=True)
    (folder / "saved_model.pb").unlink()
    (folder / "saved_model.pb").write_bytes(b"another graph")
    theirs = outputs.state_of(folder, checked=False)
    outputs.remember(folder, theirs)
    outputs.remember(folder, mine)
    assert outputs.recall(folder) == theirs
