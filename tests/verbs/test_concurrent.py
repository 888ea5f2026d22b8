"""Builds of one output at the same time: one of them stays, whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bundler import manifest
from bundler.report import record
from tests.support.places import ROOT

pytestmark = pytest.mark.slow

ROUNDS = 20


def start(folder: Path, number: int) -> subprocess.Popen[str]:
    """Start a build into `folder/out`; each number has a signature of its own."""
    source = ROOT / "manifests" / "models" / "digits"
    text = f'[bundle]\nname = "b"\n[[model]]\nname = "m"\nsource = "{source}"\n[[model.signature]]\nkey = "k{number}"\n'
    (folder / f"{number}.toml").write_text(text)
    command = [sys.executable, "-m", "bundler", "build", f"{number}.toml", "-o", "out", "--no-check", "--force", "-q"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("builders", [2, 5])
def test_of_builds_at_the_same_time_one_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, builders: int
) -> None:
    monkeypatch.setenv("BUNDLER_CACHE", str(tmp_path / "cache"))
    for _ in range(ROUNDS):
        started = [start(tmp_path, number) for number in range(builders)]
        assert [(process.communicate()[1], process.returncode) for process in started] == [("", 0)] * builders
        fresh = [
            record.up_to_date(tmp_path / "out", manifest.read(tmp_path / f"{number}.toml"), checked=False)
            for number in range(builders)
        ]
        assert len([report for report in fresh if report is not None]) == 1
        left = {path.name for path in tmp_path.iterdir()} - {f"{number}.toml" for number in range(builders)}
        assert left - {"cache"} == {"out"}
