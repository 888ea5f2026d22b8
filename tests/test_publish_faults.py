"""A fault at any line of publishing leaves the old bundle or the new one, whole, and nothing after the next build."""

from __future__ import annotations

import errno
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pytest

from bundler import locks, publish, scratch
from bundler.errors import BundlerError
from bundler.publish import RECORD, publishing, sweep_beside

TRACED = {module.__file__ for module in (locks, publish, scratch)}
FINISHED, SURVIVED, FAILED = 0, 1, 2
"""Exit statuses of a build: it ended before the fault, it ended well in spite of it, it ended in an error."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder, in memory where that can be: each test publishes some hundred times."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


def bundle(folder: Path, content: str) -> None:
    """A folder that passes for a bundle: two files that belong together."""
    (folder / RECORD).parent.mkdir(parents=True)
    (folder / RECORD).write_text(content)
    (folder / "saved_model.pb").write_text(content)


def build(output: Path, content: str) -> None:
    sweep_beside(output)
    with publishing(output) as fresh:
        bundle(fresh, content)


def found(output: Path) -> str | None:
    """What bundle is there; None for none."""
    if not output.exists():
        return None
    record, graph = (output / RECORD).read_text(), (output / "saved_model.pb").read_text()
    assert record == graph
    return record


def killed() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def full() -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupted() -> NoReturn:
    raise KeyboardInterrupt


def build_with_a_fault(output: Path, fault: Callable[[], NoReturn], line: int) -> int:
    """Build `new` in a process of its own, with a fault at the n-th line that it runs; the exit status."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    left = line

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in TRACED:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                fault()
        return trace

    status = FAILED
    try:
        sys.settrace(trace)
        build(output, "new")
        sys.settrace(None)
        status = FINISHED if left > 0 else SURVIVED
    finally:
        os._exit(status)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("place", ["out", "theirs/out", "deep/er/out"])
def test_another_user_is_refused_and_changes_nothing(folder: Path, place: str) -> None:
    build(folder / "out", "old")
    (folder / "theirs").mkdir(mode=0o700)
    folder.chmod(0o755)
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    process = os.fork()
    if not process:
        status = FINISHED
        try:
            os.setuid(65534)
            build(folder / place, "new")
        except BundlerError as error:
            status = (
                SURVIVED if error.faults[0].what in ("nothing can be written here", "cannot be written") else FAILED
            )
        except BaseException:
            status = FAILED
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == SURVIVED
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == before
    assert found(folder / "out") == "old"


@pytest.mark.parametrize(
    ("fault", "before", "exchange"),
    [
        (killed, "old", "at once"),
        (killed, "old", "in turn"),
        (killed, None, "at once"),
        (full, "old", "at once"),
        (full, None, "at once"),
        (interrupted, "old", "at once"),
    ],
)
def test_a_fault_at_any_line_leaves_a_whole_bundle(
    folder: Path,
    fault: Callable[[], NoReturn],
    before: str | None,
    exchange: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if exchange == "in turn":
        monkeypatch.setattr(publish, "_exchange_at_once", publish._exchange_in_turn)
    output, status, line = folder / "out", FAILED, 0
    outcomes = set()
    while status != FINISHED:
        line += 1
        if before:
            build(output, before)
        status = build_with_a_fault(output, fault, line)
        if exchange == "in turn":
            sweep_beside(output)  # between two renames there is none, until the next run puts the old one back
        outcomes.add(found(output))
        assert outcomes <= {before, "new"}
        build(output, "next")
        assert found(output) == "next"
        assert list(folder.iterdir()) == [output]
        if not before:
            scratch.discard(output)
    assert line > 50
    assert outcomes == {before, "new"}
