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
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


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
