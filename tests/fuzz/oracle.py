"""What must hold for any input: a build ends in a bundle that TensorFlow loads and whose signatures it can be asked to
run, or in a BundlerError; commands that look at a bundle end in a result or in a BundlerError.

Nothing else is right: no other exception, no file left in the project, not more than a few seconds or some hundred
megabytes.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NamedTuple
from unittest import mock

import numpy as np
from click.testing import CliRunner

import bundler
from bundler import cli
from bundler.bundle import Bundle
from bundler.errors import BundlerError
from bundler.ir.dtypes import DType
from bundler.ir.model import TensorSpec
from bundler.ir.shapes import element_count
from bundler.runtimes.failures import Died, Refused
from bundler.runtimes.tensorflow import Runtime

__all__ = ["BUNDLE", "MANIFEST", "SOUND", "Failure", "Input", "Oracle"]

MANIFEST = '[bundle]\nname = "b"\n\n[[model]]\nname = "m"\nsource = "model"\n'
SECONDS = 5.0
"""Of the processor: the machine may have other work."""
MEGABYTES = 500
BUNDLE, SOUND = "bundle", "sound"
"""The folders of a bundle of a stranger, and of one that is sound."""
_OUTPUT = "out"
_PATIENCE = 60.0
"""Seconds that a call may take."""
_MANY, _MOST_DIMENSIONS = 1 << 20, 32
"""Elements of an input, and dimensions that any NumPy takes."""
_LOOKS = (
    ("inspect", BUNDLE, "-vv"),
    ("inspect", BUNDLE, "--json"),
    ("inspect", BUNDLE, "--graph", "probabilities", "-vv"),
    ("diff", BUNDLE, SOUND, "-vv"),
    ("diff", SOUND, BUNDLE, "--markdown", "-vv"),
    ("report", BUNDLE, "-o", _OUTPUT, "--against", SOUND, "-vv"),
)
"""What a stranger's bundle is given to."""


class Input(NamedTuple):
    """A project: its files by their path. It is built if one is `manifest.toml`, else it has bundles to look at."""

    files: Mapping[str, bytes]

    @classmethod
    def of_model(cls, files: Mapping[str, bytes], manifest: str = MANIFEST) -> Input:
        """The files of a model in the folder `model`, and a manifest."""
        inside = {f"model/{name}": content for name, content in files.items()}
        return cls({"manifest.toml": manifest.encode(errors="surrogatepass"), **inside})

    def write(self, folder: Path) -> None:
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


class Failure(Exception):
    """Something else came of an input than what must."""


class _Late(BaseException):
    """The time is over."""


@dataclass
class Oracle:
    """Judges inputs. One TensorFlow, started once, loads every bundle that is written."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def __enter__(self) -> Oracle:
        self._runtime = Runtime()
        # In memory if the system has such a place: else a build waits for the disk.
        shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self._folder = Path(tempfile.mkdtemp(prefix="bundler-fuzz-", dir=shared))
        return self

    def __exit__(self, _kind: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._runtime.close()
        shutil.rmtree(self._folder)

    def judge(self, given: Input) -> str:
        """How the work ended: `loads` or `read`, or the name of the BundlerError. Raises Failure for anything else."""
        project = self._folder / "project"
        project.mkdir()
        try:
            given.write(project)
            outcome = self._outcome(project)
        finally:
            shutil.rmtree(project)
        self.counts[outcome] += 1
        return outcome

    def _outcome(self, project: Path) -> str:
        before, started, memory = _listed(project), time.process_time(), _peak()
        try:
            with _deadline(4 * SECONDS):
                outcome = self._built(project) if "manifest.toml" in before else _looked(project)
        except _Late:
            raise Failure(f"it goes on for more than {4 * SECONDS:g} s") from None
        except Failure:
            raise
        except Exception as error:
            raise Failure("".join(traceback.format_exception(error))) from None
        seconds = time.process_time() - started
        self.slowest = max(self.slowest, seconds)
        if seconds > SECONDS:
            raise Failure(f"it takes {seconds:.1f} s")
        if _peak() - memory > MEGABYTES << 10:
            raise Failure(f"it takes {(_peak() - memory) >> 10} MB")
        shutil.rmtree(project / _OUTPUT, ignore_errors=outcome != "loads")
        left = _listed(project) - before
        if left:
            raise Failure(f"it leaves {sorted(left)[:3]}")
        return outcome

    def _built(self, project: Path) -> str:
        try:
            with mock.patch("bundler.runtimes.tensorflow.Runtime", self._shared):
                bundler.build(project / "manifest.toml", output=project / _OUTPUT)
        except BundlerError as error:
            if any("\ud800" <= character <= "\udfff" for character in str(error)):
                raise Failure(f"it says what no terminal can show: {str(error)!a}") from None
            return type(error).__name__
        self._call(project / _OUTPUT)
        return "loads"

    def _call(self, bundle: Path) -> None:
        """Call each signature with ones. TensorFlow may refuse them; Failure if it dies of them."""
        for endpoint in Bundle.open(bundle).endpoints:
            feeds = {name: _ones(spec) for name, spec in endpoint.signature.inputs.items()}
            try:
                endpoint.call(self._runtime, feeds, seconds=_PATIENCE)
            except Refused:
                pass
            except Died as death:
                raise Failure(f"a call of {endpoint.key!r}: {death}") from None

    @contextmanager
    def _shared(self, **_: object) -> Iterator[Runtime]:
        yield self._runtime


def _ones(spec: TensorSpec) -> np.ndarray:
    """A value of the right dtype, and of the right shape if an array may have that and it is small."""
    shape = [2 if size is None else size for size in (spec.shape or ())[:_MOST_DIMENSIONS]]
    if (element_count(shape) or _MANY) >= _MANY:
        shape = [1] * len(shape)
    if spec.dtype == DType.string:
        return np.full(shape, b"1", object)
    return np.ones(shape, (spec.dtype or DType.float32).numpy)


def _looked(project: Path) -> str:
    """`read` if every command took the bundle, else `refused`. Failure if one ends in a bug, or shows no text."""
    statuses = set()
    for command in _LOOKS:
        paths = {name: str(project / name) for name in (BUNDLE, SOUND, _OUTPUT)}
        done = CliRunner().invoke(cli.main, [paths.get(word, word) for word in command])
        said = done.output.replace("\n", "")
        if "bug of bundler" in said or not (done.exception is None or isinstance(done.exception, SystemExit)):
            raise Failure(f"{command}:\n{done.output}\n{done.exception!r}")
        if not said.isprintable():
            raise Failure(f"{command} says what no terminal can show: {said!a}")
        statuses.add(done.exit_code)
    (project / _OUTPUT).unlink(missing_ok=True)
    return "read" if statuses <= {0, 1} else "refused"


def _listed(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def _peak() -> int:
    """The most memory that this process ever had, in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    def expire(*_: object) -> None:
        raise _Late

    before = signal.signal(signal.SIGPROF, expire)
    signal.setitimer(signal.ITIMER_PROF, seconds, 1)  # again and again: what it ends may go on
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
