"""`bundler cache`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console
from bundler.cli.frame import shown
from bundler.cli.options import JSON
from bundler.cli.texts.columns import size_text

if TYPE_CHECKING:
    from bundler.cli.screen import Line
    from bundler.verbs.cache import Held

__all__ = ["cache"]


@click.group(
    epilog="""\b
Examples:
  bundler cache size -v
  bundler cache clean --older 30
"""
)
def cache() -> None:
    """Show or clean the cache of fetched models.

    It is in BUNDLER_CACHE, else in the user's folder for caches. All that it holds can be fetched
    again, so any of it may be removed.
    """


@cache.command("dir")
@JSON
@shown
def _dir(console: Console) -> None:
    """Print the cache's folder, which need not exist yet."""
    from bundler.disk.cache import default_folder

    folder = default_folder()
    console.show_result([[(str(folder), "")]], lambda: json.dumps({"folder": str(folder)}))


@cache.command("size")
@JSON
@shown
def _size(console: Console) -> None:
    """Print how much the cache holds; with -v each source and the days since its last use."""
    from bundler.disk.cache import default_folder
    from bundler.verbs.cache import held

    folder, found = default_folder(), held()
    console.show_result(
        [*(_lines(found) if console.verbose else ()), [(str(folder), "bold green"), (f": {_sum(found)}", "")]],
        lambda: json.dumps({"folder": str(folder), **_totals(found), "objects": list(map(_document, found))}),
    )


@cache.command("clean")
@click.option(
    "--older",
    metavar="DAYS",
    type=click.FloatRange(min=0),
    default=0,
    help="Only what was not used for this many days. Default: everything.",
)
@JSON
@shown
def _clean(console: Console, older: float) -> None:
    """Remove fetched models. A run of bundler that uses the cache at the same time prevents it."""
    from bundler.disk.cache import default_folder
    from bundler.verbs.cache import clean

    folder, (removed, kept) = default_folder(), clean(days=older)
    lines = list(_lines(removed)) if console.verbose else []
    rest = f", kept {_sum(kept)}" if kept else ""
    document = {"folder": str(folder), "removed": _totals(removed), "kept": _totals(kept)}
    summary: Line = [(str(folder), "bold green"), (f": removed {_sum(removed)}{rest}", "")]
    console.show_result([*lines, summary], lambda: json.dumps(document))


def _sum(objects: Sequence[Held]) -> str:
    if not objects:
        return "nothing"
    number = f"{len(objects):,} object" if len(objects) == 1 else f"{len(objects):,} objects"
    return f"{number}, {size_text(sum(each.bytes for each in objects))}"


def _totals(objects: Sequence[Held]) -> dict[str, int]:
    return {"count": len(objects), "bytes": sum(each.bytes for each in objects)}


def _document(each: Held) -> dict[str, object]:
    return {"path": str(each.path), "sources": each.sources, "bytes": each.bytes, "used": int(each.used)}


def _lines(objects: Sequence[Held]) -> Iterator[Line]:
    """A line for each fetched source, and one for what TensorFlow inferred and checked."""
    fetched = [each for each in objects if not _is_answer(each)]
    for each in fetched:
        days = max(0, time.time() - each.used) / (24 * 60 * 60)
        yield [(f"{size_text(each.bytes):>8}  {days:4.0f} d  ", "dim"), (", ".join(each.sources) or each.path.name, "")]
    answers = [each for each in objects if _is_answer(each)]
    if answers:
        size = size_text(sum(each.bytes for each in answers))
        yield [(f"{size:>8}          ", "dim"), (f"answers of TensorFlow: {len(answers):,}", "")]


def _is_answer(each: Held) -> bool:
    """Whether an object holds what TensorFlow inferred or checked, and no source."""
    return bool(each.sources) and all(source.startswith(("shapes ", "checked ")) for source in each.sources)
