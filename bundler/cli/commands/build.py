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
from bundler.cli.options import CUDA, JOBS, JSON, LOCKED, MANIFESTS, OFFLINE, OUTPUT, REFRESH, refuse_both
from bundler.cli.papers import Papers

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
@click.option("--verify", is_flag=True, help="Compare the result with TensorFlow.js before it is published.")
@LOCKED
@OFFLINE
@REFRESH
@click.option(
    "--release-version",
    metavar="N",
    type=click.IntRange(1, (1 << 63) - 1),
    help="Write the folder DIR/N, in place of the manifest's `version`.",
)
@click.option(
    "--summary",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Append what was built, or what failed, as Markdown: for the page of a CI job.",
)
@click.option(
    "--depfile",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the files that the bundle depends on, as rules of Make.",
)
@click.option(
    "--provenance",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write an in-toto statement: the files of the bundle, and what they were made from.",
)
@click.option(
    "--report",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write a page of HTML about the bundle, as `bundler report` does.",
)
@click.option("--sums", is_flag=True, help="Write assets.extra/SHA256SUMS, for tools that sign.")
@CUDA
@JSON
@shown
def build(
    console: Console,
    manifests: tuple[Path, ...],
    output: Path | None,
    backend: str,
    scheduler: str | None,
    summary: Path | None,
    depfile: Path | None,
    provenance: Path | None,
    report: Path | None,
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
    refuse_both(settings["offline"], settings["refresh"])
    for option, file in (("--provenance", provenance), ("--report", report)):
        if file and len(manifests) > 1:
            raise click.UsageError(f"{option} names one file, but there are several manifests: call bundler for each")
    papers = Papers(summary, depfile, provenance, report, settings["locked"])
    work = papers.of(partial(bundler.build, output=output, scheduler=scheduler, **settings))
    each(console, manifests, work, console.show, papers.summarize)
