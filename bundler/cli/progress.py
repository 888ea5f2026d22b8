"""How far a run is, on standard error: a bar on a terminal, a line for each step with `-v`, else notes alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from bundler.cli.screen import print_error
from bundler.progress import SILENT, Progress

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["shown_progress"]

_WIDTH = 40
"""Characters of the longest step that the bar shows."""


@contextmanager
def shown_progress(quiet: bool, steps: bool) -> Iterator[Progress]:
    """The progress of a run: one bar, which is removed at the end; lines with `steps`; nothing with `quiet`."""
    if quiet:
        yield SILENT
    elif steps:
        yield _Steps()
    elif not sys.stderr.isatty():
        yield _Notes()
    else:
        from tqdm import tqdm

        with tqdm(unit="B", unit_scale=True, leave=False, dynamic_ncols=True) as bar:
            yield _Bar(bar)


class _Notes:
    """Notes only."""

    def start(self, what: str, total: int | None = None) -> None:
        pass

    def advance(self, amount: int = 1) -> None:
        pass

    def finish(self) -> None:
        pass

    def note(self, text: str) -> None:
        print_error([[("note", "bold cyan"), (f": {text}", "")]])


class _Steps(_Notes):
    """A line for each step when it begins."""

    def start(self, what: str, total: int | None = None) -> None:
        print_error([[(what, "dim")]])


class _Bar(_Notes):
    """One bar. The sizes of steps add up as they begin, in any thread."""

    def __init__(self, bar: tqdm) -> None:
        self._bar = bar
        self._lock = Lock()

    def start(self, what: str, total: int | None = None) -> None:
        with self._lock:
            self._bar.total = (self._bar.total or 0) + (total or 0)
            self._bar.set_description(what if len(what) <= _WIDTH else f"{what[: _WIDTH - 1]}…")

    def advance(self, amount: int = 1) -> None:
        with self._lock:
            self._bar.update(amount)

    def finish(self) -> None:
        with self._lock:
            self._bar.refresh()

    def note(self, text: str) -> None:
        with self._lock:
            self._bar.clear()
            super().note(text)
            self._bar.refresh()
