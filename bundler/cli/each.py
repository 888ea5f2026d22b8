"""The same work for every manifest of a command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bundler.cli.console import Console, Outcome
from bundler.errors import BundlerError, Fault, unforeseen

if TYPE_CHECKING:
    from bundler.manifest import Manifest

__all__ = ["each"]

_Outcome = TypeVar("_Outcome", bound=Outcome)


def each(
    console: Console,
    manifests: Sequence[Path],
    work: Callable[..., _Outcome],
    show: Callable[[_Outcome], None],
    note: Callable[[Path, _Outcome | BundlerError], None] | None = None,
) -> None:
    """Call `work` with every manifest and `progress`, also after one has failed; `show` outcomes at once, errors last.

    `note` gets the path of each manifest, and its outcome.

    Raises click's Exit, with the status of the first error, if there is one.
    """
    from bundler import manifest

    outcomes: list[_Outcome | BundlerError] = []
    for path, read in zip(manifests, manifest.read_each(manifests)):
        outcome = read if isinstance(read, BundlerError) else _outcome(console, read, work)
        outcome = _noted(note, path, outcome) if note else outcome
        outcomes.append(outcome)
        if not isinstance(outcome, BundlerError):
            show(outcome)
    console.show_document(outcomes, several=len(manifests) > 1)
    errors = [outcome for outcome in outcomes if isinstance(outcome, BundlerError)]
    for error in errors:
        console.show_error(error)
    if errors:
        raise click.exceptions.Exit(errors[0].exit_code)


def _noted(
    note: Callable[[Path, _Outcome | BundlerError], None], path: Path, outcome: _Outcome | BundlerError
) -> _Outcome | BundlerError:
    """The outcome, or the error of noting a success."""
    try:
        note(path, outcome)
    except BundlerError as error:
        return outcome if isinstance(outcome, BundlerError) else error
    return outcome


def _outcome(console: Console, manifest: Manifest, work: Callable[..., _Outcome]) -> _Outcome | BundlerError:
    """The outcome, or an error whose faults name the manifest."""
    try:
        with console.progress() as progress:
            return work(manifest, progress=progress)
    except Exception as error:
        return _explained(error, manifest.path)


def _explained(error: Exception, manifest: Path) -> BundlerError:
    # The traceback is kept as text: its frames would keep the models in memory while the next manifest is built.
    known = error if isinstance(error, BundlerError) else unforeseen(error)
    explained = type(known).of(_naming(manifest, fault) for fault in known.faults)
    explained.origin = known.trace
    return explained


def _naming(manifest: Path, fault: Fault) -> Fault:
    return fault if fault.place.file else replace(fault, place=replace(fault.place, file=str(manifest)))
