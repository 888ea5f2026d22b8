from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bundler.convert import processes as parallel
from bundler.errors import BundlerError
from tests.support.places import ROOT

SIZES = [1, 3, 2]
LARGE = [size * 1_000_000 for size in SIZES]


def where(task: int) -> tuple[int, int]:
    """The task, and the process that did it."""
    time.sleep(0.1)
    return task, os.getpid()


@pytest.mark.parametrize(
    ("sizes", "jobs", "beside"), [(SIZES, 2, False), (LARGE, 1, False), (LARGE, 2, True), (LARGE, 8, True)]
)
def test_large_work_is_done_beside_this_process_and_comes_in_order(sizes: list[int], jobs: int, beside: bool) -> None:
    done = parallel.each(where, [5, 6, 7], sizes, jobs)
    assert [task for task, _ in done] == [5, 6, 7]
    assert all((process != os.getpid()) is beside for _, process in done)


def fails(task: int) -> int:
    raise ValueError(f"task {task}")


def test_what_the_work_raises_comes_through() -> None:
    with pytest.raises(ValueError, match="task"):
        parallel.each(fails, [5, 6, 7], LARGE, 2)


def is_killed(task: int) -> int:
    if task == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)
    return task


def test_a_worker_that_is_killed_is_an_error_and_is_not_waited_for() -> None:
    started = time.perf_counter()
    with pytest.raises(BundlerError) as caught:
        parallel.each(is_killed, [5, 6, 7], LARGE, 2)
    assert str(caught.value) == "a process that converted models was killed"
    assert "memory" in caught.value.faults[0].hint
    assert time.perf_counter() - started < 30


COMMAND = """
import os, time
from bundler.convert import processes as parallel
from bundler.cli.frame import explained
from bundler.cli.console import Console

def work(task):
    os.write(1, b"at work\\n")
    time.sleep(60)

with explained(Console(quiet=False, verbose=0)):
    parallel.each(work, [1, 2], [1_000_000] * 2, 2)
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_command_ends_its_workers_and_says_one_word(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    (tmp_path / "command.py").write_text(COMMAND)
    process = subprocess.Popen(
        [sys.executable, tmp_path / "command.py"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    assert [process.stdout.readline() for _ in range(2)] == ["at work\n"] * 2
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.terminate()
    rest, said = process.communicate(timeout=30)
    assert (rest, said, process.returncode) == ("", "interrupted\n", status)
    assert is_gone(process.pid)


def is_gone(group: int) -> bool:
    """Whether no process of a group is left, soon."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
