"""Ctrl-C and SIGTERM end a run at once, whatever it waits for, and leave nothing."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.places import ROOT

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}
PATIENCE = 5
"""Seconds in which a run ends. By itself it would wait for a minute."""


@pytest.fixture(params=[b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{"], ids=["silent", "in the middle"])
def stalled(request: pytest.FixtureRequest) -> Iterator[tuple[str, threading.Event]]:
    """The address of a server that stops answering, and an event for when it does."""
    reached = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            connection.recv(1000)
            connection.sendall(request.param)
            reached.set()
            connection.recv(1000)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/model.json", reached


def start(folder: Path, source: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    (folder / "b.toml").write_text(f'[bundle]\nname = "b"\n[[model]]\nname = "m"\nsource = "{source}"\n')
    return subprocess.Popen(
        [sys.executable, "-m", "bundler", "build", "b.toml", *arguments],
        cwd=folder,
        env={**os.environ, "BUNDLER_CACHE": str(folder / "cache"), "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def left(folder: Path) -> list[str]:
    """What a run left, less the locks of the cache."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return sorted(path.relative_to(folder).as_posix() for path in found if path.name != "b.toml")


@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_a_fetch_is_given_up(stalled: tuple[str, threading.Event], number: signal.Signals, tmp_path: Path) -> None:
    source, reached = stalled
    process = start(tmp_path, source)
    assert reached.wait(60)
    started = time.monotonic()
    process.send_signal(number)
    said = process.communicate(timeout=60)
    assert (process.returncode, said) == (STATUS[number], ("", "interrupted\n"))
    assert time.monotonic() - started < PATIENCE
    assert left(tmp_path) == []


NPM = """#!/bin/sh
echo $$ > {pid}
sleep 60
"""


@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_npm_is_ended_with_the_run(number: signal.Signals, tmp_path: Path) -> None:
    programs, pid = tmp_path / "programs", tmp_path / "cache" / "pid"
    programs.mkdir()
    pid.parent.mkdir()
    (programs / "npm").write_text(NPM.format(pid=pid))
    (programs / "npm").chmod(0o755)
    process = start(tmp_path, "npm:slow@1.0.0", PATH=f"{programs}:{os.environ['PATH']}")
    while not (pid.exists() and pid.read_text().strip()):
        time.sleep(0.02)
    started = time.monotonic()
    process.send_signal(number)
    said = process.communicate(timeout=60)
    assert (process.returncode, said) == (STATUS[number], ("", "interrupted\n"))
    assert time.monotonic() - started < PATIENCE
    assert left(tmp_path) == ["cache/pid", "programs/npm"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


SHAPES = {"kernel": [2, 3], "bias": [3]}
DENSE = {"class_name": "Dense", "config": {"name": "wide", "units": 3, "batch_input_shape": [None, 2]}}


def children(process: int) -> list[int]:
    """The processes that a process has started and that are there."""
    listed = Path(f"/proc/{process}/task/{process}/children")
    return [int(number) for number in listed.read_text().split()] if listed.exists() else []


def runs_keras(process: int) -> bool:
    try:
        return b"bundler.tfjs.layers.keras" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


@pytest.mark.skipif(importlib.util.find_spec("tf_keras") is None, reason="the extra `layers` is not installed")
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the system does not list processes")
@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_keras_is_ended_with_the_run(number: signal.Signals, tmp_path: Path) -> None:
    weights = [{"name": f"wide/{name}", "shape": shape, "dtype": "float32"} for name, shape in SHAPES.items()]
    config = {"name": "m", "layers": [DENSE]}
    topology = {"keras_version": "2.15.0", "model_config": {"class_name": "Sequential", "config": config}}
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "w.bin").write_bytes(bytes(36))
    document = {"modelTopology": topology, "weightsManifest": [{"paths": ["w.bin"], "weights": weights}]}
    (tmp_path / "model" / "model.json").write_text(json.dumps(document))
    process = start(tmp_path, "model", "--no-check")
    while not (keras := [child for child in children(process.pid) if runs_keras(child)]):
        assert process.poll() is None
        time.sleep(0.02)
    time.sleep(1)  # TensorFlow is being imported
    started = time.monotonic()
    process.send_signal(number)
    said = process.communicate(timeout=60)
    assert (process.returncode, said) == (STATUS[number], ("", "interrupted\n"))
    assert time.monotonic() - started < PATIENCE
    assert left(tmp_path) == ["model/model.json", "model/w.bin"]
    assert not any(runs_keras(child) for child in keras)
