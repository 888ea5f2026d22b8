"""The process of a command: standard streams that take any text, and signals that end it cleanly."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from types import FrameType
from typing import TextIO

__all__ = ["exit_status", "interruptible", "open_streams"]


_NUDGE = signal.SIGURG
"""A signal that means nothing to a program that does not ask for it, and that no terminal sends."""
_NUDGES, _PAUSE = 20, 0.05
"""How often a wait is ended after a signal, and seconds before each time: a busy machine may not get to it sooner."""


class _Terminated(KeyboardInterrupt):
    """SIGTERM as an exception: code that cleans up after an interrupt cleans up after it too."""


def open_streams() -> None:
    """Open the standard streams that the caller closed, and let all of them print any character.

    Otherwise the first file that a build opens would get the number of a closed stream, and TensorFlow would write its
    messages into that file.
    """
    for number in range(3):
        if not _is_open(number):
            os.open(os.devnull, os.O_RDWR)  # the system gives the lowest free number: this one
    sys.stdout, sys.stderr = (_printing_anything(stream) for stream in (sys.stdout, sys.stderr))


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _printing_anything(stream: TextIO | None) -> TextIO:
    """The stream, with escapes for characters that it cannot encode. Python has None for a closed stream."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


@contextmanager
def interruptible() -> Iterator[None]:
    """Have SIGINT and SIGTERM raise KeyboardInterrupt in the block. A signal that the caller ignores stays ignored.

    Forked processes leave signals to this one, which ends them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: _terminate}
    before = {number: signal.getsignal(number) for number in handlers}
    try:
        for number, handler in handlers.items():
            if before[number] == signal.SIG_DFL:
                signal.signal(number, handler)
        with _nudged():
            yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextmanager
def _nudged() -> Iterator[None]:
    """Have each signal that arrives in the block handled soon, whatever this thread waits for.

    Python notes a signal, and its handler runs before the next step of the main thread. If the signal arrives after the
    last step before a lock is acquired, that is when the lock is free again, after minutes. So it was for one in
    fifteen interrupts of an npm that just started. So a thread sees the signal too, and ends such a wait by others,
    which do nothing else.
    Source: https://docs.python.org/3/library/signal.html#execution-of-python-signal-handlers, `set_wakeup_fd`.
    """
    noted, note = os.pipe()
    os.set_blocking(note, False)
    over = threading.Event()
    waiting = threading.Thread(target=_nudge, args=(noted, threading.get_ident(), over), daemon=True)
    harmless, earlier = signal.signal(_NUDGE, _do_nothing), signal.set_wakeup_fd(note, warn_on_full_buffer=False)
    waiting.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(earlier)
        over.set()
        os.close(note)  # ends the thread's read
        waiting.join()
        signal.signal(_NUDGE, harmless)
        os.close(noted)


def _nudge(noted: int, thread: int, over: threading.Event) -> None:
    while numbers := os.read(noted, 1):
        for _ in range(_NUDGES) if numbers[0] != _NUDGE else ():
            if over.wait(_PAUSE):
                return
            signal.pthread_kill(thread, _NUDGE)


def _do_nothing(number: int, frame: FrameType | None) -> None:
    pass


def exit_status(stop: KeyboardInterrupt) -> int:
    """The exit status of an interrupted command: 130, or 143 after SIGTERM."""
    return 128 + (signal.SIGTERM if isinstance(stop, _Terminated) else signal.SIGINT)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated


def _leave_to_parent() -> None:
    if signal.getsignal(signal.SIGTERM) == _terminate:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal interrupts all processes of a command


os.register_at_fork(after_in_child=_leave_to_parent)
