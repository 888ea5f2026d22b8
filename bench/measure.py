"""One process, from its start to its end: how long it took, how much it worked, how much memory it held."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from threading import Event, Timer
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["ROOT", "Failed", "TooLong", "Usage", "copy", "figures", "module"]

ROOT = Path(__file__).parents[1]
"""Where measured processes run."""


class Failed(Exception):
    """A measured process ended with an error; the message is what it said of it."""


class TooLong(Failed):
    """A measured process was ended because it reached its limit of seconds."""


class Usage(NamedTuple):
    """What one run took: seconds by the clock, seconds of all processors and processes, bytes at the peak.

    `own_bytes` is the process that was started, `largest_bytes` the largest one of its tree.
    """

    seconds: float
    cpu_seconds: float
    own_bytes: int = 0
    largest_bytes: int = 0


def module(
    name: str,
    *arguments: object,
    interpreter: str = sys.executable,
    processors: int | None = None,
    limit: float | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Usage:
    """Run a Python module, on all processors or on so many, with further environment variables.

    Raises Failed if its exit status is not 0, and TooLong if it took more than `limit` seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        note = Path(folder, "memory")
        command = [interpreter, "-m", "bench.probe", str(note), name, *map(str, arguments)]
        usage = _process(command, processors, limit, environment)
        own, largest = map(int, note.read_text().split())
    return usage._replace(own_bytes=own, largest_bytes=largest)


def copy(folder: Path, to: Path) -> Usage:
    """Copy a folder and have the disk hold the copy: the least that writing its bytes can take here."""
    script = 'cp -R "$0" "$1" && find "$1" -exec sync {} +'
    return _process(["sh", "-c", script, str(folder), str(to)])


def figures(usages: Sequence[Usage]) -> dict[str, float]:
    """Several runs of one thing: the median of each number, and the spread of the seconds. Memory in MB."""
    seconds, cpu_seconds, own, largest = zip(*usages)
    return {
        "runs": len(usages),
        "seconds": median(seconds),
        "fastest": min(seconds),
        "slowest": max(seconds),
        "cpu_seconds": median(cpu_seconds),
        "own_mb": median(own) / 1e6,
        "largest_mb": median(largest) / 1e6,
    }


def _process(
    command: Sequence[str],
    processors: int | None = None,
    limit: float | None = None,
    further: Mapping[str, str] = MappingProxyType({}),
) -> Usage:
    # What a user installs comes compiled to bytecode; here the first run leaves it for the others.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**kept, **further}
    none = subprocess.DEVNULL
    with tempfile.TemporaryFile() as said, _restricted(processors):
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=none, stdout=none, stderr=said)
        with _limited(process.pid, limit) as late:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if late.is_set():
            raise TooLong(f"stopped after {limit:g} s")
        if process.returncode:
            said.seek(0)
            raise Failed(_complaint(said.read().decode(errors="replace")) or f"exit status {process.returncode}")
    return Usage(seconds, used.ru_utime + used.ru_stime)


@contextmanager
def _limited(pid: int, limit: float | None) -> Iterator[Event]:
    """Kill a process that is still waited for after so many seconds; the event says so.

    Who waits must leave the process a zombie: its number must not belong to another one before the timer is cancelled.
    """
    late = Event()

    def end() -> None:
        late.set()
        os.kill(pid, signal.SIGKILL)

    timer = Timer(limit or 0, end)
    if limit is not None:
        timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        if limit is not None:
            timer.join()


@contextmanager
def _restricted(processors: int | None) -> Iterator[None]:
    """Let what is started in here run on so many processors only."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:processors])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _complaint(said: str) -> str:
    """The line that explains a failure: bundler's error, or the last line of a traceback."""
    lines = [line for line in said.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("error: ")), lines[-1] if lines else "")
