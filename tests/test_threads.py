"""Threads whose work can be given up."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from bundler.disk.scratch import scratch
from bundler.threads import Crew, undone_by


def test_results_come_in_the_order_of_the_tasks() -> None:
    with Crew(3) as crew:
        assert list(crew.map(lambda number: (time.sleep(0.01 / number), number)[1], [1, 2, 3, 4])) == [1, 2, 3, 4]


def test_as_many_threads_work_as_there_are_jobs() -> None:
    meeting = threading.Barrier(3)
    with Crew(3) as crew:
        assert sorted(crew.map(lambda _: meeting.wait(10), range(3))) == [0, 1, 2]


@pytest.mark.parametrize("error", [ValueError("torn"), KeyboardInterrupt()])
def test_what_a_task_raises_comes_through(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)), Crew(1) as crew:
        crew.submit(fail).result()


def test_the_end_of_the_block_waits_for_all_tasks() -> None:
    done: list[int] = []
    with Crew(2) as crew:
        for number in range(4):
            crew.submit(lambda number=number: (time.sleep(0.02), done.append(number)))
    assert sorted(done) == [0, 1, 2, 3]


def test_an_exception_in_the_block_waits_for_none_and_undoes_what_was_begun(tmp_path: Path) -> None:
    begun, released, later = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        with scratch(tmp_path, "work"):
            begun.set()
            released.wait(60)
            with undone_by(print):  # begins nothing more
                later.set()

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Crew(1) as crew:  # noqa: PT012
        future = crew.submit(work)
        crew.submit(later.set)
        begun.wait(10)
        raise KeyboardInterrupt
    assert time.monotonic() - started < 30
    assert list(tmp_path.iterdir()) == []
    released.set()
    assert type(future.exception(timeout=10)).__name__ == "_GivenUp"
    assert not later.is_set()


def test_without_a_crew_there_is_nothing_to_undo() -> None:
    with undone_by(lambda: pytest.fail("undone")):
        pass
