"""The command line: each command parses, makes one library call and shows what came of it."""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from bundler import __version__
from bundler.console import Console
from bundler.errors import BundlerError

if TYPE_CHECKING:
    from bundler.manifest import Manifest
    from bundler.report import Report

__all__ = ["build", "check", "inspect", "main", "run", "schema"]

_MANIFESTS = click.argument(
    "manifests", metavar="MANIFEST...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Write the report as one JSON document.")
_OUTPUT = click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder to write, in place of the manifest's.",
)
_JOBS = click.option(
    "-j",
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    default=lambda: os.cpu_count() or 1,
    show_default="number of processors",
    help="Models to work on at a time.",
)


class _Terminated(KeyboardInterrupt):
    """SIGTERM, as an exception: what cleans up after an interrupt cleans up after this one."""


def run() -> None:
    """The process: `main`, with SIGTERM handled like an interrupt. Ends by SystemExit."""

    def terminate(number: int, frame: FrameType | None) -> None:
        raise _Terminated

    signal.signal(signal.SIGTERM, terminate)
    main(prog_name="bundler")


def _show_versions(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(_versions())
        ctx.exit()


def _versions() -> str:
    """Bundler's version, TensorFlow's and Python's, from the installed packages' own records."""
    from importlib.metadata import packages_distributions, version

    tensorflow = packages_distributions().get("tensorflow")
    found = f"TensorFlow {version(tensorflow[0])}" if tensorflow else "no TensorFlow"
    return f"bundler {__version__} ({found}, Python {platform.python_version()})"


def _shown(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `-q`, `-v` and a console. The one place where what went wrong becomes an exit status."""

    @click.option("-q", "--quiet", is_flag=True, help="Show errors only.")
    @click.option("-v", "--verbose", count=True, help="Show steps and details; twice: the traceback of errors too.")
    @wraps(command)
    def shown(quiet: bool, verbose: int, **given: object) -> None:
        console = Console(quiet, verbose)
        try:
            command(console, **given)
        except BundlerError as error:
            console.show_error(error)
            sys.exit(error.exit_code)
        except KeyboardInterrupt as stop:
            click.echo("interrupted", err=True)
            sys.exit(128 + (signal.SIGTERM if isinstance(stop, _Terminated) else signal.SIGINT))

    return shown


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_versions, help="Show versions."
)
def main() -> None:
    """Turn TensorFlow.js models into one TensorFlow SavedModel, with a signature for each task."""


@main.command()
@_MANIFESTS
@_OUTPUT
@_JOBS
@click.option("--force", is_flag=True, help="Replace a folder that bundler did not write.")
@click.option(
    "--no-check", "check", flag_value=False, default=True, help="Do not load the result before it is published."
)
@_JSON
@_shown
def build(console: Console, manifests: tuple[Path, ...], as_json: bool, output: Path | None, **settings: Any) -> None:
    """Build the bundle of each MANIFEST.

    Models are fetched, converted, linked and written; the result is loaded once, then takes the
    place of the output folder. With --json and several manifests, the document is an array.
    """
    if output and len(manifests) > 1:
        raise click.UsageError("-o names one folder, but there are several manifests: set `output` in each of them")
    from bundler import manifest, pipeline

    def report(spec: Manifest) -> Report:
        with console.progress() as progress:
            return pipeline.build(spec, output=output, progress=progress, **settings)

    console.show(map(report, manifest.read_all(manifests)), as_json)


@main.command()
@_MANIFESTS
@_JOBS
@_JSON
@_shown
def check(console: Console, manifests: tuple[Path, ...], jobs: int, as_json: bool) -> None:
    """Check each MANIFEST and its sources without writing anything."""
    from bundler import manifest, pipeline

    def report(spec: Manifest) -> Report:
        with console.progress() as progress:
            return pipeline.check(spec, jobs=jobs, progress=progress)

    console.show(map(report, manifest.read_all(manifests)), as_json)


@main.command(short_help="Show what is in a model, a manifest or a SavedModel.")
@click.argument("path", type=click.Path(path_type=Path))
@_JSON
@_shown
def inspect(console: Console, path: Path, as_json: bool) -> None:
    """Show what is in PATH: a TensorFlow.js model, a manifest or a SavedModel."""
    from bundler import inspection

    console.show([inspection.inspect(path)], as_json, ops=True)


@main.command()
def schema() -> None:
    """Print the JSON Schema of manifests, for editors."""
    from bundler import manifest

    click.echo(json.dumps(manifest.schema(), indent=2))
