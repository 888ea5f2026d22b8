"""A build that is killed at any time leaves the old bundle or the new one, whole; the next build cleans up.

The kills are spread evenly over the time of a build: KILLS of them in all, by default a few of each kind.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle
from pathlib import Path

import pytest

from bench.models import write_nodes, write_weights
from tests.convert.test_cluster import running
from tests.support.places import ROOT

pytestmark = pytest.mark.slow

SIGNALS = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 143, signal.SIGINT: 130}
MODES = {
    "inline": ("constants", ["-j", "1"]),
    "processes": ("constants", ["-j", "2"]),
    "variables": ("variables", ["-j", "2"]),
    "dask": ("constants", ["--no-check"]),
}
POINTS = int(os.environ.get("KILLS", "32")) // len(MODES)
PATIENCE = 60
"""Seconds in which a build ends that is asked to, however much else the machine does."""
MARK = "BUNDLER_TEST_OF_KILLS"


@dataclass(frozen=True)
class Project:
    """Two manifests, `old` and `new`, of one output; each has 100 MB of weights, and JSON for two processes."""

    folder: Path
    arguments: tuple[str, ...]

    @property
    def output(self) -> Path:
        return self.folder / "dist" / "b"

    @cached_property
    def digests(self) -> dict[str, str]:
        """The digest of the whole output, by the manifest."""
        made = {}
        for name in ("new", "old"):
            assert self.build(name).wait() == 0
            made[name] = digest(self.output)
        return made

    @cached_property
    def seconds(self) -> float:
        """How long a build takes that replaces a bundle."""
        started = time.monotonic()
        assert self.build("new").wait() == 0
        assert self.build("old").wait() == 0
        return (time.monotonic() - started) / 2

    def build(self, name: str) -> subprocess.Popen[bytes]:
        """Start a build."""
        environment = {"BUNDLER_CACHE": str(self.folder / "cache"), "PYTHONPATH": str(ROOT), MARK: str(self.folder)}
        return subprocess.Popen(
            [sys.executable, "-m", "bundler", "build", f"{name}.toml", "-q", *self.arguments],
            cwd=self.folder,
            env={**os.environ, **environment},
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def processes(self) -> list[int]:
        """The processes that builds of this project started and that are there."""
        mark = f"{MARK}={self.folder}".encode()
        return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in read(path)]

    def left_overs(self) -> list[str]:
        """Whatever builds left beside their output and in the cache."""
        kept = {"dist/b", "cache/objects", "cache/sources", "cache/outputs"}
        found = {
            path.relative_to(self.folder).as_posix()
            for name in ("dist/*", "cache/*", "cache/outputs/*[!n]", "cache/outputs/.*")
            for path in self.folder.glob(name)
        }
        return sorted(found - kept)


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def digest(folder: Path) -> str:
    """The digest of all names and contents below a folder."""
    hashed = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        hashed.update(f"{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return hashed.hexdigest()


@pytest.fixture(params=MODES)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    weights, arguments = MODES[request.param]
    for name, seed in (("old", 0), ("new", 10)):
        write_weights(tmp_path / name / "large", 6)
        for index in (1, 2):
            write_nodes(tmp_path / name / f"deep{index}", 6000, seed=seed + index)
        models = [f'[[model]]\nname = "{model}"\nsource = "{name}/{model}"\n' for model in ("large", "deep1", "deep2")]
        head = f'[bundle]\nname = "b"\nweights = "{weights}"\n'
        (tmp_path / f"{name}.toml").write_text(head + "".join(models))
    if request.param != "dask":
        yield Project(tmp_path, tuple(arguments))
        return
    (tmp_path / "cluster").mkdir()
    with running(tmp_path / "cluster") as cluster:
        yield Project(tmp_path, (*arguments, "--backend", "dask", "--scheduler", cluster.address))


def test_a_kill_at_any_time_leaves_a_whole_bundle_and_the_next_build_cleans_up(project: Project) -> None:
    assert set(project.digests) == {"new", "old"}
    there, following = "old", "new"
    for point, (number, status) in zip(range(POINTS), cycle(SIGNALS.items())):
        process = project.build(following)
        time.sleep(project.seconds * (point + 0.5) / POINTS)
        process.send_signal(number)
        assert process.wait(timeout=PATIENCE) in (status, -number, 0)
        assert digest(project.output) in (project.digests[there], project.digests[following])
        until = time.monotonic() + PATIENCE
        while project.processes() and time.monotonic() < until:
            time.sleep(0.05)
        assert project.processes() == []
        assert project.build(following).wait(timeout=5 * PATIENCE) == 0
        assert digest(project.output) == project.digests[following]
        assert project.left_overs() == []
        there, following = following, there
