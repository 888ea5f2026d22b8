"""Conversions on a dask cluster: a real scheduler and two workers, each a process of its own, on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import bundler
from bench.models import write_nodes
from bundler import sources
from bundler.convert import cluster
from bundler.errors import BundlerError, SourceError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from tests.support.models import placeholder, write_model
from tests.support.places import ROOT

distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")


class Cluster(NamedTuple):
    """A scheduler's address and its workers, the folder `folder/<index>` being that of each."""

    address: str
    workers: Sequence[subprocess.Popen[bytes]]
    folder: Path


@contextmanager
def running(folder: Path, *, workers: int = 2, package: Path = ROOT, **environment: str) -> Iterator[Cluster]:
    """A cluster that imports bundler from `package`."""
    shared = {**os.environ, "PYTHONPATH": str(package), **environment}
    scheduler_file = folder / "scheduler.json"
    options = [
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--dashboard-address",
        "127.0.0.1:0",
        "--scheduler-file",
        scheduler_file,
    ]
    started = [_start("distributed.cli.dask_scheduler", *options, folder=folder, environment=shared)]
    try:
        address = _address(scheduler_file)
        for index in range(workers):
            own = folder / str(index)
            own.mkdir()
            options = [address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard"]
            alone = {**shared, "BUNDLER_CACHE": str(own / "cache")}
            started.append(_start("distributed.cli.dask_worker", *options, folder=own, environment=alone))
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60) if workers else None
        yield Cluster(address, started[1:], folder)
    finally:
        for process in started:
            process.kill()
            process.wait()


def _start(module: str, *options: object, folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", module, *map(str, options)]
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)


def _address(scheduler_file: Path) -> str:
    """Where a scheduler listens, as soon as it has said so."""
    for _ in range(600):
        with suppress(OSError, ValueError):
            return str(json.loads(scheduler_file.read_text())["address"])
        time.sleep(0.05)
    raise TimeoutError("the scheduler did not start")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers."""
    with running(tmp_path_factory.mktemp("cluster")) as started:
        yield started


def write_manifest(folder: Path, **sources: object) -> Path:
    lines = ["[bundle]", 'name = "products"']
    for name, source in sources.items():
        lines += ["[[model]]", f'name = "{name}"', f'source = "{source}"']
    path = folder / "bundle.toml"
    path.write_text("\n".join(lines))
    return path


def product(folder: Path, factor: float) -> Path:
    """A model, y = x · w, with its weight in two shards."""
    nodes = [placeholder("x", None, 4), new_node("MatMul", "y", ["x", "w"], T=DType.float32)]
    return write_model(folder, nodes, {"w": factor * np.eye(4, dtype=np.float32)}, shard_bytes=40)


def build(path: Path, output: Path, scheduler: str | None = None) -> dict[str, bytes]:
    """The files of the bundle."""
    bundler.build(path, output=output, scheduler=scheduler, check=False)
    files = (file for file in output.rglob("*") if file.is_file())
    return {file.relative_to(output).as_posix(): file.read_bytes() for file in files}


# Where the sources are


def test_workers_that_share_a_folder_give_the_bytes_of_a_build_without_them(
    pair: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    product(tmp_path / "double", 2)
    product(tmp_path / "triple", 3)
    write_manifest(tmp_path, double="double", triple="triple")
    monkeypatch.chdir(tmp_path)  # where no worker is
    path = Path("bundle.toml")
    assert build(path, tmp_path / "there", pair.address) == build(path, tmp_path / "here")


def test_the_command_line_says_no_more_than_without_a_cluster(pair: Cluster, tmp_path: Path) -> None:
    product(tmp_path / "m", 2)
    command = ["build", write_manifest(tmp_path, m="m"), "-o", tmp_path / "out", "--json", "--no-check"]
    ended = subprocess.run(
        [sys.executable, "-m", "bundler", *map(str, command), "--backend", "dask", "--scheduler", pair.address],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["name"] == "products"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server: its address and its folder."""
    folder = tmp_path / "www"
    folder.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()


def test_workers_fetch_for_themselves_and_weights_are_read_here(
    tmp_path: Path, web: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = web
    monkeypatch.setenv("BUNDLER_CACHE", str(tmp_path / "cache"))
    product(folder / "double", 2)
    path = write_manifest(tmp_path, double=f"{address}/double/model.json")
    with running(tmp_path, workers=1) as alone:
        there = build(path, tmp_path / "there", alone.address)
    assert (tmp_path / "0" / "cache").exists()
    assert there == build(path, tmp_path / "here")


def test_files_that_differ_from_a_workers_are_refused(
    pair: Cluster, tmp_path: Path, web: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = web
    source = f"{address}/model.json"
    product(folder, 2)
    with distributed.Client(pair.address, set_as_default=False) as client:
        client.run(sources.find, source, Path())  # every worker keeps what it has fetched
    product(folder, 3)
    monkeypatch.setenv("BUNDLER_CACHE", str(tmp_path / "cache"))
    with pytest.raises(
        SourceError, match=r"^model 'm': .*shard1of2\.bin: a worker read another file than the one here"
    ):
        build(write_manifest(tmp_path, m=source), tmp_path / "out", pair.address)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_a_worker_lacks_is_an_error_that_says_so(
    pair: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    product(tmp_path / "m", 2)
    monkeypatch.chdir(tmp_path)
    path = write_manifest(tmp_path, m="/proc/self/cwd/m")  # another place for every process
    with pytest.raises(SourceError) as caught:
        build(path, tmp_path / "out", pair.address)
    (fault,) = caught.value.faults
    assert fault.where.startswith("worker ")
    assert "model 'm'" in fault.where
    assert fault.hint == "a worker needs the same folders, or sources that it can fetch"


# What can happen to a cluster


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A manifest of models that take a worker some tenths of a second each."""
    sources = {f"m{index}": write_nodes(tmp_path / f"m{index}", 3_000, seed=index) for index in range(3)}
    return write_manifest(tmp_path, **sources)


@contextmanager
def killing_a_worker_at_work(cluster: Cluster) -> Iterator[list[int]]:
    """Kill the first worker as soon as it converts; the list has its exit status then."""
    killed: list[int] = []

    def kill() -> None:
        while not client.processing([victim])[victim]:
            time.sleep(0.01)
        cluster.workers[0].kill()
        killed.append(cluster.workers[0].wait())

    with distributed.Client(cluster.address, set_as_default=False) as client:
        (victim,) = (where for where, pid in client.run(os.getpid).items() if pid == cluster.workers[0].pid)
        thread = threading.Thread(target=kill, daemon=True)
        thread.start()
        yield killed
        thread.join(60)


def test_a_worker_that_is_killed_at_work_costs_nothing_but_time(tmp_path: Path, slow: Path) -> None:
    with running(tmp_path) as pair, killing_a_worker_at_work(pair) as killed:
        there = build(slow, tmp_path / "there", pair.address)
        assert killed == [-9]
    assert there == build(slow, tmp_path / "here")


def test_a_model_over_which_workers_die_is_an_error(tmp_path: Path, slow: Path) -> None:
    with (
        running(tmp_path, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as pair,
        killing_a_worker_at_work(pair),
        pytest.raises(BundlerError, match="one worker after another died over a model"),
    ):
        build(slow, tmp_path / "out", pair.address)
    assert not (tmp_path / "out").exists()


def test_a_cluster_with_another_version_of_bundler_is_refused(tmp_path: Path) -> None:
    product(tmp_path / "m", 2)
    (tmp_path / "old" / "bundler").mkdir(parents=True)
    (tmp_path / "old" / "bundler" / "__init__.py").write_text('__version__ = "0.0.1"')
    with running(tmp_path, workers=1, package=tmp_path / "old") as old, pytest.raises(BundlerError) as caught:
        build(write_manifest(tmp_path, m="m"), tmp_path / "out", old.address)
    assert {fault.found for fault in caught.value.faults} == {"0.0.1"}
    assert len(caught.value.faults) == 2, "the worker and the scheduler"


def test_a_scheduler_without_workers_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    product(tmp_path / "m", 2)
    monkeypatch.setattr(cluster, "_PATIENCE", 1)
    with running(tmp_path, workers=0) as empty, pytest.raises(BundlerError, match="the scheduler has no workers"):
        build(write_manifest(tmp_path, m="m"), tmp_path / "out", empty.address)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "no address"])
def test_a_scheduler_that_does_not_answer_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    product(tmp_path / "m", 2)
    monkeypatch.setattr(cluster, "_PATIENCE", 1)
    with pytest.raises(BundlerError, match="no dask scheduler answers") as caught:
        build(write_manifest(tmp_path, m="m"), tmp_path / "out", address)
    assert caught.value.faults[0].where == address
