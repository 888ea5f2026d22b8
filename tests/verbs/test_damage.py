"""What was damaged in the cache is fetched again: the bundle has the bytes of the source."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.places import MANIFESTS

MODELS = MANIFESTS / "models"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a manifest whose model lies in an archive, built once without a load."""
    shutil.make_archive(str(tmp_path / "models"), "zip", MODELS / "digits")
    manifest = '[bundle]\nname = "b"\noutput = "out"\n[[model]]\nname = "digits"\nsource = "models.zip"\n'
    (tmp_path / "b.toml").write_text(manifest)
    assert build(tmp_path).returncode == 0
    return tmp_path


def build(project: Path, command: str = "build") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BUNDLER_CACHE": str(project / "cache")}
    program = [sys.executable, "-m", "bundler", command, str(project / "b.toml")]
    program += ["--no-check"] if command == "build" else []
    return subprocess.run(program, capture_output=True, text=True, env=environment, check=False)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def kept(project: Path, name: str) -> Path:
    (found,) = project.glob(f"cache/objects/*/{name}")
    return found


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a bit of a shard": lambda project: flip(kept(project, "group1-shard2of2.bin")),
    "a bit of the JSON": lambda project: flip(kept(project, "model.json")),
    "other JSON": lambda project: kept(project, "model.json").write_text("{}"),
    "a shard cut short": lambda project: os.truncate(kept(project, "group1-shard1of2.bin"), 7),
    "a shard that is gone": lambda project: kept(project, "group1-shard1of2.bin").unlink(),
    "an emptied object": lambda project: [path.unlink() for path in kept(project, "model.json").parent.iterdir()],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_cache_is_mended_with_a_note(project: Path, damage: Callable[[Path], object]) -> None:
    before = (project / "out" / "saved_model.pb").read_bytes()
    damage(project)
    shutil.rmtree(project / "out")
    done = build(project)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"note: the cached copy of \S+ is damaged and is fetched again\n", done.stderr)
    assert (project / "out" / "saved_model.pb").read_bytes() == before
    assert "up to date" in build(project).stdout


def test_a_check_mends_it_too(project: Path) -> None:
    flip(kept(project, "group1-shard2of2.bin"))
    assert [build(project, command="check").stderr.count("note: ") for _ in range(2)] == [1, 0]
