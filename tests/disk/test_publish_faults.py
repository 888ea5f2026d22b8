"""A fault at any line of publishing leaves the old bundle or the new one, whole, and nothing after the next build."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.errors import BundlerError
from tests.support.places import ROOT
from tests.support.publish_faults import build, found


@pytest.mark.parametrize(
    ("fault", "before", "exchange"),
    [
        ("killed", "old", "at once"),
        ("killed", "old", "in turn"),
        ("killed", "", "at once"),
        ("full", "old", "at once"),
        ("full", "", "at once"),
        ("interrupted", "old", "at once"),
    ],
)
def test_a_fault_at_any_line_leaves_a_whole_bundle(fault: str, before: str, exchange: str) -> None:
    program = [sys.executable, "-m", "tests.support.publish_faults", fault, before, exchange]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tried = json.loads(done.stdout)
    assert tried["lines"] > 50
    assert tried["outcomes"] == sorted([before or "None", "new"])


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can enter."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield folder


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("place", ["out", "theirs/out", "deep/er/out"])
def test_another_user_is_refused_and_changes_nothing(open_folder: Path, place: str) -> None:
    build(open_folder / "out", "old")
    (open_folder / "theirs").mkdir(mode=0o700)
    before = sorted(path.relative_to(open_folder) for path in open_folder.rglob("*"))
    process = os.fork()
    if not process:
        status = 2
        try:
            os.setuid(65534)
            build(open_folder / place, "new")
        except BundlerError as error:
            status = error.faults[0].what not in ("the output's folder cannot be written", "cannot be written")
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    assert sorted(path.relative_to(open_folder) for path in open_folder.rglob("*")) == before
    assert found(open_folder / "out") == "old"
