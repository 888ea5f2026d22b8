"""The table of mistakes: what a first user does wrong, and the whole text that answers it.

After a change of texts, `MISTAKES=write pytest tests/cli/test_mistakes.py` writes the new ones into the pages, to be
read before they are committed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from tests.cli.pages import Mistake, mistakes
from tests.sources.conftest import Server, registry, server
from tests.support.models import placeholder, write_model
from tests.support.places import MANIFESTS

__all__ = ["registry", "server"]

FLAT = [placeholder("x", 1, 3), new_node("Reshape", "y", ["x", "one"], T=DType.float32, Tshape=DType.int32)]
"""Nodes of a model that takes one row only."""
KERAS = b"\x89HDF\r\n\x1a\n" + bytes(100)


@pytest.fixture
def place(tmp_path: Path, built: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: `manifests/tiny.toml`, its models, an archive of them, its bundle, and a Keras file.

    `models/flat` is a model that takes one row only.
    """
    folder = tmp_path / "place"
    shutil.copytree(MANIFESTS / "models", folder / "models")
    shutil.copy(MANIFESTS / "tiny.toml", folder)
    shutil.make_archive(str(folder / "models"), "zip", folder / "models")
    shutil.copytree(built("tiny"), folder / "dist" / "tiny")
    (folder / "digits.h5").write_bytes(KERAS)
    write_model(folder / "models" / "flat", FLAT, {"one": np.array([1, -1], np.int32)})
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("mistake", mistakes(), ids=lambda mistake: f"{mistake.page.stem}: {mistake.title}")
def test_a_mistake_gets_its_answer(mistake: Mistake, place: Path, registry: Server, cache: Path) -> None:
    said = mistake.play(place, registry.url, {"BUNDLER_CACHE": str(cache)})
    said = said.replace(registry.url, "http://registry").replace(str(place), "/home/me")
    if os.environ.get("MISTAKES") == "write":
        mistake.write(said)
    else:
        assert said == mistake.console
