"""Publish with a fault at every line, one after the other: a program of the test of that name.

    python -m tests.support.publish_faults FAULT BEFORE EXCHANGE

Each fault comes in a forked process. That of pytest has a gigabyte of memory by then, and each fork copies its tables.
What was found is printed as JSON: how many lines there are, and which bundles the faults left.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from bundler.disk import locks, publish, scratch
from bundler.disk.publish import RECORD, publishing, sweep_beside

TRACED = {module.__file__ for module in (locks, publish, scratch)}
FINISHED, SURVIVED, FAILED = 0, 1, 2
"""Exit statuses of a build: it ended before the fault, it ended well in spite of it, it ended in an error."""


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


def try_every_line(folder: Path, fault: Callable[[], NoReturn], before: str | None, in_turn: bool) -> dict[str, Any]:
    """Publish again and again, the fault a line later each time, until the fault comes no more."""
    output, status, line = folder / "out", FAILED, 0
    outcomes = set()
    while status != FINISHED:
        line += 1
        if before:
            build(output, before)
        status = build_with_a_fault(output, fault, line)
        if in_turn:
            sweep_beside(output)  # between two renames there is none, until the next run puts the old one back
        outcomes.add(found(output))
        assert outcomes <= {before, "new"}
        build(output, "next")
        assert found(output) == "next"
        assert list(folder.iterdir()) == [output]
        if not before:
            scratch.discard(output)
    return {"lines": line, "outcomes": sorted(map(str, outcomes))}


def main(fault: str, before: str, exchange: str) -> None:
    """Print what the faults left."""
    if exchange == "in turn":
        publish._exchange_at_once = publish._exchange_in_turn
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        faults = {"killed": killed, "full": full, "interrupted": interrupted}
        outcome = try_every_line(Path(folder), faults[fault], before or None, exchange == "in turn")
    sys.stdout.write(json.dumps(outcome))


if __name__ == "__main__":
    main(*sys.argv[1:])
