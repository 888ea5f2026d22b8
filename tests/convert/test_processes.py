from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import dedent

import pytest

from bundler.convert import processes
from bundler.errors import BundlerError
from tests.support.places import ROOT

METHODS = ["fork", "spawn"]
"""Python's ways to start processes: the default of Linux and that of macOS."""
SIZES = [1, 3, 2]
LARGE = [size * 10_000_000 for size in SIZES]


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The platform's way to start processes."""
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda **_: request.param)
    return str(request.param)


def where(task: int) -> tuple[int, int]:
    """The task, and the process that did it."""
    time.sleep(0.1)
    return task, os.getpid()


@pytest.mark.usefixtures("method")
@pytest.mark.parametrize(
    ("sizes", "jobs", "beside"), [(SIZES, 2, False), (LARGE, 1, False), (LARGE, 2, True), (LARGE, 8, True)]
)
def test_large_work_is_done_beside_this_process_and_comes_in_order(sizes: list[int], jobs: int, beside: bool) -> None:
    done = processes.each(where, [5, 6, 7], sizes, jobs)
    assert [task for task, _ in done] == [5, 6, 7]
    assert all((process != os.getpid()) is beside for _, process in done)


@pytest.mark.parametrize(("method", "beside"), [("fork", True), ("spawn", False)], indirect=["method"])
def test_workers_that_are_forked_pay_for_less_work(method: str, beside: bool) -> None:
    done = processes.each(where, [5, 6], [5_000_000] * 2, 2)
    assert all((process != os.getpid()) is beside for _, process in done), method


def test_a_program_may_choose_its_start_method_later() -> None:
    program = """
        import multiprocessing
        from bundler.convert import processes
        assert processes.each(abs, [-1, -2], [2_000_000] * 2, 2) == [1, 2]
        multiprocessing.set_start_method("spawn")
    """
    subprocess.run([sys.executable, "-c", dedent(program)], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)


def fails(task: int) -> int:
    raise ValueError(f"task {task}")


@pytest.mark.usefixtures("method")
def test_what_the_work_raises_comes_through() -> None:
    with pytest.raises(ValueError, match="task"):
        processes.each(fails, [5, 6, 7], LARGE, 2)


def is_killed(task: int) -> int:
    if task == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)
    return task


@pytest.mark.usefixtures("method")
def test_a_worker_that_is_killed_is_an_error_and_is_not_waited_for() -> None:
    started = time.perf_counter()
    with pytest.raises(BundlerError) as caught:
        processes.each(is_killed, [5, 6, 7], LARGE, 2)
    assert str(caught.value) == "a process that converted models was killed"
    assert "memory" in caught.value.faults[0].hint
    assert time.perf_counter() - started < 30


COMMAND = """
import multiprocessing, os, sys, time
from bundler.convert import processes
from bundler.cli.frame import explained
from bundler.cli.console import Console

def work(task):
    os.write(1, b"at work\\n")
    time.sleep(60)

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    with explained(Console(quiet=False, verbose=0)):
        processes.each(work, [1, 2], [10_000_000] * 2, 2)
"""


@contextmanager
def at_work(folder: Path, method: str) -> Iterator[subprocess.Popen[str]]:
    """A command, in a process group of its own, whose two workers have work for a minute."""
    (folder / "command.py").write_text(COMMAND)
    process = subprocess.Popen(
        [sys.executable, folder / "command.py", method],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    assert [process.stdout.readline() for _ in range(2)] == ["at work\n"] * 2
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_command_ends_its_workers_and_says_one_word(
    tmp_path: Path, method: str, number: signal.Signals, status: int
) -> None:
    with at_work(tmp_path, method) as process:
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.terminate()
        rest, said = process.communicate(timeout=30)
        assert (rest, said, process.returncode) == ("", "interrupted\n", status)
        assert is_gone(process.pid)


@pytest.mark.parametrize("method", METHODS)
def test_the_workers_of_a_command_that_is_killed_end(tmp_path: Path, method: str) -> None:
    with at_work(tmp_path, method) as process:
        process.kill()
        process.communicate(timeout=30)
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
