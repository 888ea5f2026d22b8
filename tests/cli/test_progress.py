"""What a terminal shows while a run lasts, on real terminals (pty) of several widths."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest

from bundler.cli.console import Console
from bundler.cli.progress.meter import Step, meter
from tests.support.places import ROOT

WAITS = """
import sys, time
from bundler.cli import main
import bundler

SECONDS = float(sys.argv.pop())

def build(manifest, progress, **_):
    progress.start("fetch", count=11)
    progress.advance(3)
    progress.note("the cat is back")
    progress.start("npm pack @vladmandic/human@3.3.6 from a registry that is far away")
    time.sleep(SECONDS)
    raise bundler.BundlerError("is torn")

bundler.build = build
main(prog_name="bundler")
"""


PATIENCE = 30
"""Seconds in which a run ends that is interrupted. By itself it would work for a minute."""


class Screen(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


FETCH = Step("fetch", count=11, done=3)
NPM = Step("npm pack @vladmandic/human@3.3.6")
SHARD = Step("https://storage.example.com/a/long/path/to/a/model/group1-shard1of3.bin", size=5_000_000, done=2_100_000)
WRITE = Step("write", size=80_000_000, done=41_200_000)


@pytest.mark.parametrize(
    ("steps", "columns", "line"),
    [
        ([], 80, "01:07"),
        ([Step("link")], 80, "link 01:07"),
        ([Step("convert", count=11, done=11)], 80, "convert 11/11 ██████████████████████████████ 01:07"),
        ([Step("convert", count=11)], 30, "convert 0/11            01:07"),
        ([FETCH, NPM], 80, "fetch 3/11: npm pack @vladmandic/human@3.3.6 ███████▋                     01:07"),
        ([FETCH, NPM], 60, "fetch 3/11: npm pack @vladmandic/human@3.3.6 ██▏      01:07"),
        ([FETCH, NPM], 40, "fetch 3/11…ladmandic/human@3.3.6 01:07"),
        ([FETCH, NPM], 20, "fet…an@3.3.6 01:07"),
        ([FETCH, NPM], 8, "01:07"),
        ([FETCH, SHARD], 60, "fetch 3/11: h…/model/group1-shard1of3.bin 2.1/5.0 MB 01:07"),
        ([FETCH, NPM, SHARD], 80, "fetch 3/11: https://…ong/path/to/a/model/group1-shard1of3.bin 2.1/5.0 MB 01:07"),
        ([WRITE], 60, "write ███████████████▍               41.2/80.0 MB 01:07"),
        ([Step("write", size=100, done=7)], 40, "write █▎                  7/100 B 01:07"),
    ],
)
def test_the_line_names_what_runs_and_how_far_it_is(steps: Sequence[Step], columns: int, line: str) -> None:
    assert meter(steps, 67, columns) == line


@pytest.mark.parametrize("columns", [1, 10, 20, 40, 60, 80, 200])
@pytest.mark.parametrize("steps", [[FETCH, SHARD], [WRITE], [Step("猫" * 100)], [Step("fetch {cat}", count=2)]])
def test_the_line_is_shorter_than_the_terminal_is_wide(steps: list[Step], columns: int) -> None:
    line = meter(steps, 67, columns)
    assert len(line) + line.count("猫") < columns


def test_a_terminal_without_unicode_gets_ascii() -> None:
    lines = [meter(steps, 67, 40, unicode=False) for steps in ([FETCH, NPM], [WRITE])]
    assert lines == ["fetch 3/11...admandic/human@3.3.6 01:07", "write #######2       41.2/80.0 MB 01:07"]


def run(folder: Path, seconds: float, columns: int, number: int = 0, *arguments: str) -> tuple[int, bytes]:
    """Exit status of a build that works for `seconds`, and all that it writes to a terminal of that width.

    `number` is a signal that it gets while the line is there, as if Ctrl-C were pressed: the terminal echoes ^C.
    """
    (folder / "pets.toml").write_text('[bundle]\nname = "pets"\n[[model]]\nname = "cat"\nsource = "cat"\n')
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-c", WAITS, "build", "pets.toml", *arguments, str(seconds)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "NO_COLOR": "1"}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    started = 0.0
    while chunk := _read(ours):
        shown += chunk
        if number and not started and b"fetch 3/11" in shown:
            time.sleep(0.3)
            shown += b"^C"
            process.send_signal(number)
            started = time.monotonic()
    status = process.wait(30)
    assert not started or time.monotonic() - started < PATIENCE
    os.close(ours)
    return status, shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 10_000)
    except OSError:  # Linux says so when the last program has closed the other end
        return b""


def screen(shown: bytes, columns: int) -> list[str]:
    """The lines of a terminal after all that was written to it, as far as bundler commands it."""
    lines, row, column = [""], 0, 0
    for token in re.findall(r"\x1b\[J|\r|\n|[^\x1b\r\n]", shown.decode()):
        if token == "\r":
            column = 0
        elif token == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif token == "\x1b[J":
            lines = [*lines[:row], lines[row][:column]]
        else:
            if column == columns:
                row, column = row + 1, 0
                lines += [""] * (row + 1 - len(lines))
            lines[row] = f"{lines[row][:column]:{column}}{token}{lines[row][column + 1 :]}"
            column += 1
    return lines


@pytest.mark.parametrize("columns", [20, 200])
def test_nothing_but_notes_and_errors_is_left(tmp_path: Path, columns: int) -> None:
    status, shown = run(tmp_path, 0.5, columns)
    assert b"\r\x1b[Jf" in shown
    assert status == 1
    assert "".join(screen(shown, columns)).replace(" ", "") == "note:thecatisbackerror:pets.toml:istorn"


@pytest.mark.parametrize(("columns", "number", "status"), [(60, signal.SIGINT, 130), (200, signal.SIGTERM, 143)])
def test_an_interrupt_leaves_one_clean_line(tmp_path: Path, columns: int, number: int, status: int) -> None:
    ended, shown = run(tmp_path, 60, columns, number)
    assert ended == status
    assert screen(shown, columns) == ["note: the cat is back", "interrupted", ""]


def test_the_clock_ticks_though_nothing_happens(tmp_path: Path) -> None:
    _, shown = run(tmp_path, 2.5, 80)
    assert {"00:00", "00:01", "00:02"} <= set(re.findall(r"\d\d:\d\d", shown.decode()))


def test_a_run_that_ends_at_once_shows_no_line(tmp_path: Path) -> None:
    _, shown = run(tmp_path, 0, 80)
    assert b"fetch" not in shown


def test_verbose_adds_a_line_for_each_step_above(tmp_path: Path) -> None:
    _, shown = run(tmp_path, 0.5, 80, 0, "-v")
    assert screen(shown, 80)[:3] == [
        "fetch",
        "note: the cat is back",
        "npm pack @vladmandic/human@3.3.6 from a registry that is far away",
    ]


@pytest.mark.parametrize(
    ("console", "stream", "shown"),
    [
        (Console(), StringIO(), "note: the cat is back\n"),
        (Console(verbose=1), StringIO(), "fetch cat\nnote: the cat is back\n"),
        (Console(quiet=True), Screen(), ""),
        (Console(True, 1), StringIO(), ""),
    ],
    ids=["in a pipe", "verbose", "quiet", "quiet and verbose"],
)
def test_without_a_terminal_progress_is_notes_and_with_quiet_nothing(
    console: Console, stream: StringIO, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    with console.progress() as progress:
        progress.start("fetch cat", 2000)
        progress.advance(2000)
        progress.note("the cat is back")
        progress.finish()
    assert stream.getvalue() == shown


def test_a_dumb_terminal_gets_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stderr", stream := Screen())
    with Console().progress() as progress:
        progress.start("fetch cat", 2000)
        time.sleep(0.5)
    assert stream.getvalue() == ""
