"""A program in a process of its own, which answers one question at a time.

What it prints does not reach the user's terminal, and what kills it does not kill bundler. It ends when its standard
input does, so it does not outlive bundler; `close` ends it at once.

Questions and answers are frames: eight bytes of length, little-endian, then as many bytes. They travel over the child's
standard input and output. Its standard error is kept, and errors quote it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from bundler.runtimes.failures import Died

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Child"]

_REASONS = ("FATAL", "Check failed", "Error:")
"""Marks of the line that explains why a program died, among stack traces and notes."""

_STACK = ("@ ", "*** ")
"""Beginnings of the lines of a stack trace."""

_DYING = 10
"""Seconds that a program has to end after its output ended: it may be writing a core dump."""


class Child:
    """A running program, started at once and started again after it died.

    Errors call it `name`; `environment` is added to ours.
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._name = name
        self._command = tuple(command)
        self._environment = {**os.environ, **(environment or {})}
        self._turn = threading.Lock()
        self._closed = False
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, question: bytes, timeout: float | None = None) -> bytes:
        """The answer to one question; threads take turns.

        Raises Died if the program ends before it answers, or takes longer than `timeout` seconds.
        """
        with self._turn:
            self._revive()
            try:
                with _deadline(self._process, timeout) as expired:
                    return self._exchange(question)
            except (EOFError, OSError):
                if expired.is_set():
                    raise Died(f"{self._name} did not answer in {timeout:g} s") from None
                raise self._death() from None
            except BaseException:
                self._end()  # the rest of the answer would be taken for the next one
                raise

    def close(self) -> None:
        """End the program, whatever it is doing. Later questions raise ValueError."""
        self._closed = True
        self._process.kill()  # ends the wait of a thread in `ask`
        with self._turn:
            self._release()

    def _start(self) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=self._environment,
            start_new_session=True,  # an interrupt at the terminal is for us alone
        )
        assert self._process.stdin and self._process.stdout
        self._stdin: IO[bytes] = self._process.stdin
        self._stdout: IO[bytes] = self._process.stdout

    def _revive(self) -> None:
        if self._closed:
            raise ValueError(f"{self._name} was closed")
        if self._process.poll() is not None:
            self._release()
            self._start()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()

    def _release(self) -> None:
        self._end()
        for pipe in (self._stdin, self._stdout, self._stderr):
            with suppress(OSError):  # the rest of a question has no reader
                pipe.close()

    def _exchange(self, question: bytes) -> bytes:
        self._stdin.write(len(question).to_bytes(8, "little"))
        self._stdin.write(question)
        self._stdin.flush()
        return self._read(int.from_bytes(self._read(8), "little"))

    def _read(self, size: int) -> bytes:
        content = self._stdout.read(size)
        if len(content) != size:
            raise EOFError
        return content

    def _death(self) -> Died:
        """Why the program ended: its signal or exit status, and the line of standard error that explains it."""
        try:
            status = self._process.wait(_DYING)
        except subprocess.TimeoutExpired:
            self._end()
            status = self._process.returncode
        cause = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        return Died(f"{self._name} died ({cause})", found=self._last_words())

    def _last_words(self) -> str:
        self._stderr.seek(0)
        lines = [line.strip() for line in self._stderr.read().decode(errors="replace").splitlines()]
        spoken = [line for line in lines if line and not line.startswith(_STACK)]
        reasons = [line for line in spoken if any(mark in line for mark in _REASONS)]
        return (reasons or spoken or [""])[-1]


@contextmanager
def _deadline(process: subprocess.Popen[bytes], seconds: float | None) -> Iterator[threading.Event]:
    """Kill the process after `seconds`; the event is set if that happens."""
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        process.kill()

    timer = threading.Timer(seconds if seconds is not None else threading.TIMEOUT_MAX, expire)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()
        timer.join()
        if expired.is_set():
            process.wait()
