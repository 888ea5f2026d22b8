"""`bundler serving`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bundler.cli.console import Console
from bundler.cli.frame import shown
from bundler.cli.options import JSON, MANIFESTS, RELEASE_VERSION

__all__ = ["serving"]


class _Label(click.ParamType):
    """`stable=3`: a name for a version."""

    name = "label"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        name, _, version = value.rpartition("=")
        if not (name and version.isascii() and version.isdecimal() and 0 < int(version[:20]) < 1 << 63):
            self.fail(f"{value!r} is not NAME=VERSION", param, ctx)
        return name, int(version)


@click.command(
    epilog="""\b
Examples:
  bundler serving pets.toml cars.toml > models.config
  bundler serving pets.toml --base /models > models.config
  bundler serving pets.toml --release-version 8 --label stable=7 --label canary=8
"""
)
@MANIFESTS
@click.option(
    "--base",
    metavar="DIR",
    default="",
    help="Folder that holds the bundles where the server runs: /models in its container. Default: where they are.",
)
@RELEASE_VERSION
@click.option(
    "--label", "labels", metavar="NAME=VERSION", multiple=True, type=_Label(), help="A name for a version; repeatable."
)
@JSON
@shown
def serving(
    console: Console,
    manifests: tuple[Path, ...],
    base: str,
    release_version: int | None,
    labels: tuple[tuple[str, int], ...],
) -> None:
    """Print the models.config with which TensorFlow Serving serves the bundle of each MANIFEST.

    Each bundle is a model of its name, in the folder that holds its versions. The server loads the
    newest version; with labels, those that are named and the manifest's own.
    """
    from bundler.verbs.serving.config import serving as config

    text = config(manifests, base=base, release_version=release_version, labels=dict(labels))
    console.show_result([[(line, "")] for line in text.splitlines()], lambda: json.dumps({"models.config": text}))
