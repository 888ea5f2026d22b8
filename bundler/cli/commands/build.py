"""`bundler build`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

import bundler
from bundler.cli.console import Console
from bundler.cli.each import each
from bundler.cli.frame import shown
from bundler.cli.options import CUDA, JOBS, JSON, MANIFESTS, OUTPUT

__all__ = ["build"]


@click.command(
    epilog="""\b
Examples:
  bundler build manifests/posenet.toml
  bundler build manifests/tiny.toml manifests/human.toml -j 2
  bundler build manifests/tiny.toml -o dist/tiny --json > report.json
"""
)
@MANIFESTS
@OUTPUT
@JOBS
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
@JSON
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
