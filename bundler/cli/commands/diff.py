"""`bundler diff`."""

from __future__ import annotations

from pathlib import Path

import click

import bundler
from bundler.cli.console import Console
from bundler.cli.frame import shown
from bundler.cli.options import JOBS, JSON
from bundler.cli.texts.differences import difference_lines
from bundler.cli.texts.markdown import markdown_lines

__all__ = ["diff"]


@click.command(
    epilog="""\b
Examples:
  bundler diff dist/tiny manifests/tiny.toml
  bundler diff dist/tiny manifests/tiny.toml --markdown > changes.md
"""
)
@click.argument("before", metavar="A", type=click.Path(path_type=Path))
@click.argument("after", metavar="B", type=click.Path(path_type=Path))
@click.option("--markdown", is_flag=True, help="Write Markdown, for the page of a release.")
@JOBS
@JSON
@shown
def diff(console: Console, before: Path, after: Path, markdown: bool, jobs: int) -> None:
    """Show what changed from A to B: signatures, models, weights, ops and size.

    Each is a bundle, the folder of a SavedModel, or a manifest. The exit status is 1 if callers of A
    would notice: a signature or an output is gone, an input is new, gone or takes fewer shapes, an
    output may have other shapes, or a dtype or a method is another. It is 0 otherwise.
    """
    with console.progress() as progress:
        found = bundler.diff(before, after, jobs=jobs, progress=progress)
    lines = markdown_lines(found) if markdown else difference_lines(found, console.verbose > 0)
    console.show_result(lines, found.to_json)
    if found.breaks:
        raise click.exceptions.Exit(1)
