"""`bundler report`."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli.console import Console
from bundler.cli.frame import shown
from bundler.cli.options import JSON
from bundler.cli.texts.columns import counted

__all__ = ["report"]


@click.command(
    epilog="""\b
Examples:
  bundler report dist/tiny -o tiny.html
  bundler report dist/tiny -o tiny.html --against dist/previous
  bundler report manifests/tiny.toml -o tiny.html --verify
"""
)
@click.argument("bundle", metavar="BUNDLE|MANIFEST", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="FILE", required=True, type=click.Path(path_type=Path), help="The page to write."
)
@click.option(
    "--against",
    metavar="BUNDLE",
    type=click.Path(path_type=Path),
    help="A previous bundle: the page begins with what has changed since.",
)
@click.option(
    "--verification",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="What `bundler verify --json` wrote about the bundle: the page shows the errors.",
)
@click.option(
    "--verify", is_flag=True, help="Verify the bundle now, as `bundler verify` does: the page shows the errors."
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
@JSON
@shown
def report(console: Console, bundle: Path, output: Path, **settings: object) -> None:
    """Write a page of HTML that shows what is in BUNDLE, for the people who review it.

    It has the signatures, the steps of composed ones as pictures, models with their sources and
    digests, weights by layer, ops and what became of others. It is one file that loads nothing and
    runs no script. BUNDLE is the folder of a SavedModel, or the MANIFEST that it was built from.

    With --verify the exit status is 6 if an output is wrong. The page is written.
    """
    if settings["verify"] and settings["verification"]:
        raise click.UsageError("--verify finds the errors that --verification would bring: choose one of the two")
    from bundler.verbs.report import report as write

    with console.progress() as progress:
        found = write(bundle, output=output, progress=progress, **settings)  # type: ignore[arg-type]
    shown = f"{counted(len(found.signatures), 'signature')}, {counted(len(found.models), 'model')}"
    console.show_result([[(str(output), "bold green"), (f": {shown}", "")]], found.to_json)
