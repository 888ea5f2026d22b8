"""`bundler schema`."""

from __future__ import annotations

import json

import click

__all__ = ["schema"]


@click.command(
    epilog="""\b
Examples:
  bundler schema > bundler.schema.json
"""
)
def schema() -> None:
    """Print the JSON Schema of manifests, for editors."""
    from bundler import manifest

    click.echo(json.dumps(manifest.schema(), indent=2))
