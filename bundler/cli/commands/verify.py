"""`bundler verify`."""

from __future__ import annotations

from pathlib import Path

import click

import bundler
from bundler.cli.console import Console
from bundler.cli.frame import shown
from bundler.cli.options import JSON, OFFLINE, RELEASE_VERSION
from bundler.cli.verdicts import verdict_lines

__all__ = ["verify"]


@click.command(
    epilog="""\b
Examples:
  bundler verify manifests/tiny.toml
  bundler verify manifests/human.toml --python -v
  bundler verify dist/tiny --against dist/tiny    # with another build of it
"""
)
@click.argument("target", metavar="MANIFEST|BUNDLE", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The manifest's bundle, if it is in another folder than the manifest says.",
)
@click.option(
    "--against",
    metavar="tfjs|golden|BUNDLE",
    help="The source models in TensorFlow.js (the default), the outputs that checks have recorded, or another bundle.",
)
@click.option(
    "--tfjs",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="A node_modules with @tensorflow/tfjs; by default npm fetches it once.",
)
@RELEASE_VERSION
@click.option("--record", is_flag=True, help="Write the outputs into the files of the manifest's checks.")
@click.option("--python", is_flag=True, help="Call each signature by tf.saved_model.load too.")
@OFFLINE
@JSON
@shown
def verify(console: Console, target: Path, **settings: object) -> None:
    """Call every signature of a bundle, and compare its outputs with those of the source models.

    Inputs are those of the manifest's [[check]] tables, else random ones. The exit status is 6 if an
    output differs by more than 1e-4 of its largest value.
    """
    with console.progress() as progress:
        found = bundler.verify(target, progress=progress, **settings)  # type: ignore[arg-type]
    console.show_lines(verdict_lines(found, console.verbose > 0))
    console.show_document([found])
    if not found.ok:
        error = bundler.VerificationError.of(found.faults)
        console.show_error(error)
        raise click.exceptions.Exit(error.exit_code)
