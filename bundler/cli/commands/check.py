"""`bundler check`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

import bundler
from bundler.cli.console import Console
from bundler.cli.each import each
from bundler.cli.frame import shown
from bundler.cli.options import JOBS, JSON, LOCKED, MANIFESTS, OFFLINE, REFRESH, refuse_both

__all__ = ["check"]


@click.command(
    epilog="""\b
Examples:
  bundler check manifests/tiny.toml
  bundler check manifests/*.toml --json > faults.json
"""
)
@MANIFESTS
@LOCKED
@OFFLINE
@REFRESH
@JOBS
@JSON
@shown
def check(console: Console, manifests: tuple[Path, ...], **settings: Any) -> None:
    """Check each MANIFEST and its sources without writing anything."""
    refuse_both(settings["offline"], settings["refresh"])
    each(console, manifests, partial(bundler.check, **settings), console.show)
