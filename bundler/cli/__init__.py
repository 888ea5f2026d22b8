"""The command line: each command parses its arguments, calls one verb and shows the outcome."""

from __future__ import annotations

import gc
import json
from functools import partial
from pathlib import Path
from typing import Any

import click

import bundler
from bundler.cli.console import Console
from bundler.cli.convert import convert
from bundler.cli.each import each
from bundler.cli.frame import CUDA, processors, show_versions, shown
from bundler.cli.process import open_streams

__all__ = ["build", "check", "inspect", "main", "run", "schema"]

_MANIFESTS = click.argument(
    "manifests", metavar="MANIFEST...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Write one JSON document: the report, or the error.")
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
    default=processors,
    show_default="number of processors",
    help="Models to work on at a time.",
)


def run() -> None:
    """Run `main` as a process of its own, with open standard streams. Raises SystemExit."""
    open_streams()
    gc.disable()  # a search for cycles among a million small objects takes longer than it saves
    try:
        main(prog_name="bundler")
    finally:
        gc.freeze()  # Python would search at the end of the process


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="The tables and keys of a manifest: docs/MANIFEST.md in the repository, or `bundler schema`.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=show_versions, help="Show versions."
)
def main() -> None:
    """Turn TensorFlow.js models into one TensorFlow SavedModel, with a signature for each task."""


@main.command()
@_MANIFESTS
@_OUTPUT
@_JOBS
@click.option(
    "--backend",
    type=click.Choice(["local", "dask"]),
    default="local",
    show_default=True,
    help="Who converts the models: processes on this machine, or the workers of a dask cluster.",
)
@click.option("--scheduler", metavar="ADDRESS", help="The cluster's scheduler: tcp://HOST:8786.")
@click.option("--force", is_flag=True, help="Replace a folder that bundler did not write.")
@click.option(
    "--no-check", "check", flag_value=False, default=True, help="Do not load the result before it is published."
)
@CUDA
@_JSON
@shown
def build(
    console: Console,
    manifests: tuple[Path, ...],
    output: Path | None,
    backend: str,
    scheduler: str | None,
    **settings: Any,
) -> None:
    """Build the bundle of each MANIFEST.

    Models are fetched, converted, linked and written; the result is loaded once, then replaces the
    output folder. A manifest that fails does not stop the others. With several manifests, --json
    writes an array.
    """
    if output and len(manifests) > 1:
        raise click.UsageError("-o names one folder, but there are several manifests: set `output` in each of them")
    if (backend == "dask") != bool(scheduler):
        raise click.UsageError("--backend dask and --scheduler ADDRESS go together")
    each(console, manifests, partial(bundler.build, output=output, scheduler=scheduler, **settings))


@main.command()
@_MANIFESTS
@_JOBS
@_JSON
@shown
def check(console: Console, manifests: tuple[Path, ...], jobs: int) -> None:
    """Check each MANIFEST and its sources without writing anything."""
    each(console, manifests, partial(bundler.check, jobs=jobs))


main.add_command(convert)


@main.command(short_help="Show what is in a model, a manifest or a SavedModel.")
@click.argument("source", metavar="PATH")
@_JSON
@shown
def inspect(console: Console, source: str) -> None:
    """Show what is in PATH: a TensorFlow.js model (any source of a manifest), a manifest or a SavedModel."""
    report = bundler.inspect(source)
    console.show(report, ops=True)
    console.show_document([report])


@main.command()
def schema() -> None:
    """Print the JSON Schema of manifests, for editors."""
    from bundler import manifest

    click.echo(json.dumps(manifest.schema(), indent=2))
