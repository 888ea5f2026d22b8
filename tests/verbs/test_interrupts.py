"""Ctrl-C and SIGTERM end a run at once, whatever it waits for, and leave nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

import pytest

from tests.support.places import ROOT

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}
PATIENCE = 30
"""Seconds in which a run ends, however much else the machine does. By itself it would wait for a minute."""


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


def start(
    folder: Path, source: str, *arguments: str, command: tuple[str, ...] = ("build", "b.toml"), **environment: str
) -> subprocess.Popen[str]:
    (folder / "b.toml").write_text(f'[bundle]\nname = "b"\n[[model]]\nname = "m"\nsource = "{source}"\n')
    return subprocess.Popen(
        [sys.executable, "-m", "bundler", *command, *arguments],
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


def interrupt_npm(folder: Path, number: signal.Signals, command: tuple[str, ...]) -> None:
    """Send a signal to a run as soon as its npm has started: both end, at once."""
    programs, pid = folder / "programs", folder / "cache" / "pid"
    programs.mkdir(parents=True)
    pid.parent.mkdir()
    (programs / "npm").write_text(NPM.format(pid=pid))
    (programs / "npm").chmod(0o755)
    process = start(folder, "npm:slow@1.0.0", command=command, PATH=f"{programs}:{os.environ['PATH']}")
    while not (pid.exists() and pid.read_text().strip()):
        time.sleep(0.002)
    started = time.monotonic()
    process.send_signal(number)
    said = process.communicate(timeout=60)
    assert (process.returncode, said) == (STATUS[number], ("", "interrupted\n"))
    assert time.monotonic() - started < PATIENCE
    assert left(folder) == ["cache/pid", "programs/npm"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


@pytest.mark.parametrize("command", [("build", "b.toml"), ("init", "npm:slow")], ids=["build", "init"])
@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_npm_is_ended_with_the_run(number: signal.Signals, command: tuple[str, ...], tmp_path: Path) -> None:
    interrupt_npm(tmp_path, number, command)


@pytest.mark.slow
def test_of_many_interrupts_on_a_busy_machine_none_is_lost(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as several:
        numbers = [*STATUS] * 60
        folders = [tmp_path / str(number) for number in range(len(numbers))]
        list(several.map(interrupt_npm, folders, numbers, repeat(("build", "b.toml"))))
