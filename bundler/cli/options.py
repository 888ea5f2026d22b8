"""Arguments and options that several commands share."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path

import click

__all__ = [
    "COLOR",
    "CUDA",
    "JOBS",
    "JSON",
    "LOCKED",
    "MANIFESTS",
    "OFFLINE",
    "OUTPUT",
    "REFRESH",
    "RELEASE_VERSION",
    "color_in",
    "processors",
    "refuse_both",
]


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _choose_color(ctx: click.Context, option: click.Parameter, choice: str | None) -> None:
    """Callback of `--color`: click's contexts hand the choice on to those of commands inside."""
    if choice is not None:
        ctx.color = _COLORS.get(choice)


def color_in(arguments: list[str]) -> bool | None:
    """What `--color` says in the arguments of a command, which click may not get to read: after a mistake."""
    joined = [f"{word}={following}" if word == "--color" else word for word, following in pairwise([*arguments, ""])]
    choices = [word.removeprefix("--color=") for word in joined if word.startswith("--color=")]
    return _COLORS.get(choices[-1]) if choices else None


_COLORS = {"always": True, "never": False}


COLOR = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    is_eager=True,
    expose_value=False,
    callback=_choose_color,
    help="Colors and bold text; auto: on a terminal, unless NO_COLOR is set. FORCE_COLOR is heeded too.",
)
MANIFESTS = click.argument("manifests", metavar="MANIFEST...", nargs=-1, required=True, type=click.Path(path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="Write one JSON document: the report, or the error.")
OUTPUT = click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder to write, in place of the manifest's.",
)
JOBS = click.option(
    "-j",
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    default=processors,
    show_default="number of processors",
    help="Models to work on at a time.",
)
CUDA = click.option("--cuda", is_flag=True, help="Let TensorFlow use GPUs; by default they are hidden from it.")
LOCKED = click.option("--locked", is_flag=True, help="Refuse settings and files that are not those in the lock.")
OFFLINE = click.option("--offline", is_flag=True, help="Fetch nothing: take sources from the cache.")
RELEASE_VERSION = click.option(
    "--release-version",
    metavar="N",
    type=click.IntRange(1, (1 << 63) - 1),
    help="The version folder, in place of the manifest's `version`.",
)
REFRESH = click.option("--refresh", is_flag=True, help="Ask for each source again, also if the cache has it.")


def refuse_both(offline: bool, refresh: bool) -> None:
    """Raise click's UsageError for --offline with --refresh."""
    if offline and refresh:
        raise click.UsageError("--offline fetches nothing, and --refresh asks for every source: choose one of them")
