"""How far a run is, on standard error: a line with a clock on a terminal, a line for each step with `-v`, and notes."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TextIO

from bundler.cli.progress.meter import Step, meter
from bundler.cli.screen import Line, can_show, columns, erase_line, print_error, printable
from bundler.progress import SILENT, Progress

__all__ = ["shown_progress"]

_PERIOD = 0.2
"""Seconds between two looks at the steps. A run that ends before the first shows no line."""


@contextmanager
def shown_progress(quiet: bool, steps: bool) -> Iterator[Progress]:
    """The progress of a run: one line, which is removed at the end; a line for each of the `steps`; none if `quiet`."""
    if quiet:
        yield SILENT
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        live = _Live(sys.stderr, steps)
        with _ticking(live):
            yield live
    else:
        yield _Plain(steps)


class _Plain:
    """Notes, and a line for each step if `steps`."""

    def __init__(self, steps: bool) -> None:
        self._steps = steps

    def start(self, what: str, size: int | None = None, *, count: int | None = None) -> None:
        if self._steps:
            self._print([(what, "dim")])

    def advance(self, amount: int = 1) -> None:
        pass

    def finish(self) -> None:
        pass

    def note(self, text: str) -> None:
        self._print([("note", "bold cyan"), (f": {text}", "")])

    def _print(self, line: Line) -> None:
        print_error([line])


class _Live(_Plain):
    """The same above a line that shows the steps of all threads and a clock.

    The cursor stays at the start of this line: what the terminal echoes, as ^C, is erased with it.
    """

    def __init__(self, stream: TextIO, steps: bool) -> None:
        super().__init__(steps)
        self._stream = stream
        self._began = time.monotonic()
        self._running: list[tuple[int, Step]] = []
        self._last: Step | None = None
        self._shown = ""
        self._steps_lock, self._screen_lock = threading.Lock(), threading.Lock()

    def start(self, what: str, size: int | None = None, *, count: int | None = None) -> None:
        super().start(what, size, count=count)
        with self._steps_lock:
            self._running.append((threading.get_ident(), Step(printable(what), size, count)))

    def advance(self, amount: int = 1) -> None:
        with self._steps_lock:
            step = self._own()
            if step:
                step.done += amount

    def finish(self) -> None:
        with self._steps_lock:
            self._last = step = self._own()
            self._running = [entry for entry in self._running if entry[1] is not step]

    def draw(self) -> None:
        """Show the steps as they are now, or the last one. Other threads go on: a terminal may stop to take output."""
        with self._screen_lock:
            with self._steps_lock:
                steps = [replace(step) for _, step in self._running] or list(filter(None, [self._last]))
            if not steps:
                return
            line = meter(steps, time.monotonic() - self._began, columns(self._stream), can_show("█…", self._stream))
            if line != self._shown:
                erase_line(self._stream)
                with suppress(OSError):
                    print(line, end="\r", file=self._stream, flush=True)
                self._shown = line

    def erase(self) -> None:
        """Remove the line."""
        with self._screen_lock:
            self._erase()

    def _own(self) -> Step | None:
        """The innermost step of this thread."""
        own = threading.get_ident()
        return next((step for thread, step in reversed(self._running) if thread == own), None)

    def _print(self, line: Line) -> None:
        with self._screen_lock:
            self._erase()
            super()._print(line)

    def _erase(self) -> None:
        if self._shown:
            erase_line(self._stream)
            self._shown = ""


@contextmanager
def _ticking(live: _Live) -> Iterator[None]:
    """Draw the line again and again while the block lasts, from a thread of its own; then remove it."""
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(_PERIOD):
            live.draw()

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        live.erase()
