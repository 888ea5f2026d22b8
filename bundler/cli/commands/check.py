"""`bundler check`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

import bundler
from bundler.cli.console import Console
from bundler.cli.each import each
from bundler.cli.frame import shown
from bundler.cli.options import JOBS, JSON, MANIFESTS

__all__ = ["check"]


@click.command(
    epilog="""\b
Examples:
  bundler check manifests/tiny.toml
  bundler check manifests/*.toml --json > faults.json
"""
)
@MANIFESTS
@JOBS
@JSON
@shown
def check(console: Console, manifests: tuple[Path, ...], jobs: int) -> None:
    """Check each MANIFEST and its sources without writing anything."""
    each(console, manifests, partial(bundler.check, jobs=jobs))
