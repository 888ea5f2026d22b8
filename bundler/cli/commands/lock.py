"""`bundler lock`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

import bundler
from bundler.cli.console import Console
from bundler.cli.each import each
from bundler.cli.frame import shown
from bundler.cli.options import JOBS, JSON, MANIFESTS, OFFLINE, REFRESH, refuse_both
from bundler.cli.reports import lock_lines

__all__ = ["lock"]


@click.command(
    epilog="""\b
Examples:
  bundler lock manifests/tiny.toml
  bundler lock --check --refresh manifests/tiny.toml
  bundler build --locked --offline manifests/tiny.toml
"""
)
@MANIFESTS
@click.option("--check", is_flag=True, help="Write nothing: end with status 3 if a lock is missing or stale.")
@click.option("--force", is_flag=True, help="Replace a file of that name that bundler did not write.")
@OFFLINE
@REFRESH
@JOBS
@JSON
@shown
def lock(console: Console, manifests: tuple[Path, ...], **settings: Any) -> None:
    """Write the lock of each MANIFEST: pets.lock beside pets.toml.

    A lock has the size and sha256 of every file that the bundle is made from, and the settings that
    change its bytes. With a lock, `bundler build --locked` gives the same bytes on every machine, or
    says what has changed.
    """
    refuse_both(settings["offline"], settings["refresh"])
    each(console, manifests, partial(bundler.lock, **settings), lambda locked: console.show_lines(lock_lines(locked)))
