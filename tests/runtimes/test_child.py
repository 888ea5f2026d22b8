"""Child: a program that works for us in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bundler.runtimes.child import Child
from bundler.runtimes.failures import Died

PROGRAM = """
import os, sys, time
while size := sys.stdin.buffer.read(8):
    question = sys.stdin.buffer.read(int.from_bytes(size, "little"))
    if question == b"abort":
        print("why: FATAL, as it is", "a note", file=sys.stderr, sep="\\n", flush=True)
        os.abort()
    if question == b"trace":
        sys.exit("the reason\\n\\n*** Check failure stack trace: ***\\n    @     0x7efc738a71f5  (unknown)")
    if question == b"exit":
        sys.exit(3)
    if question == b"hang":
        time.sleep(600)
    sys.stdout.buffer.write(size + question)
    sys.stdout.buffer.flush()
"""
COMMAND = [sys.executable, "-c", PROGRAM]


@pytest.mark.parametrize("question", [b"", b"a question", bytes(5_000_000)], ids=["empty", "short", "long"])
def test_an_answer_comes_back_whole(question: bytes) -> None:
    with Child("echo", COMMAND) as child:
        assert child.ask(question) == question


def test_threads_get_their_own_answers() -> None:
    questions = [str(number).encode() for number in range(200)]
    with Child("echo", COMMAND) as child, ThreadPoolExecutor(8) as threads:
        assert list(threads.map(child.ask, questions)) == questions


def test_a_death_is_an_error_with_its_signal_and_last_words() -> None:
    with Child("echo", COMMAND) as child, pytest.raises(Died) as caught:
        child.ask(b"abort")
    assert str(caught.value) == "echo died (SIGABRT) (found why: FATAL, as it is)"


def test_a_stack_trace_is_not_taken_for_the_reason() -> None:
    with Child("echo", COMMAND) as child, pytest.raises(Died, match="found the reason"):
        child.ask(b"trace")


def test_an_early_exit_is_an_error_with_its_status() -> None:
    with Child("echo", COMMAND) as child, pytest.raises(Died, match=r"^echo died \(exit status 3\)$"):
        child.ask(b"exit")


def test_a_program_that_does_not_start_is_an_error_that_says_why() -> None:
    with (
        Child("echo", [sys.executable, "-c", "import nothing_by_this_name"]) as child,
        pytest.raises(Died, match="No module named 'nothing_by_this_name'"),
    ):
        child.ask(b"anyone there?")


@pytest.mark.parametrize("deadly", [b"abort", b"exit"])
def test_a_death_costs_one_answer_and_not_the_next(deadly: bytes) -> None:
    with Child("echo", COMMAND) as child:
        with pytest.raises(Died):
            child.ask(deadly)
        assert child.ask(b"still there?") == b"still there?"


def test_an_answer_that_takes_too_long_is_an_error() -> None:
    with Child("echo", COMMAND) as child:
        with pytest.raises(Died, match=r"echo did not answer in 0\.2 s"):
            child.ask(b"hang", timeout=0.2)
        assert child.ask(b"next", timeout=60) == b"next"


def test_an_interrupt_does_not_leave_an_answer_for_the_next_question() -> None:
    with Child("echo", COMMAND) as child:
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
        with pytest.raises(KeyboardInterrupt):
            child.ask(b"hang")
        assert child.ask(b"next") == b"next"


def test_close_ends_a_child_that_hangs() -> None:
    child = Child("echo", COMMAND)
    threading.Timer(0.2, child.close).start()
    with pytest.raises(Died, match="SIGKILL"):
        child.ask(b"hang")


def test_nothing_can_be_asked_after_close() -> None:
    child = Child("echo", COMMAND)
    child.close()
    with pytest.raises(ValueError, match="echo was closed"):
        child.ask(b"anyone there?")


def test_the_environment_is_added_to_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    program = """if True:
        import os, sys
        sys.stdin.buffer.read(8)  # the size of the question
        sys.stdout.write('\\x02' + 7 * '\\0' + os.environ['OURS'] + os.environ['ITS'])
    """
    with Child("printer", [sys.executable, "-c", program], {"ITS": "2"}) as child:
        assert child.ask(b"") == b"12"
    assert "ITS" not in os.environ


def test_what_it_prints_does_not_reach_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with Child("echo", COMMAND) as child, pytest.raises(Died):
        child.ask(b"abort")
    assert capfd.readouterr() == ("", "")
