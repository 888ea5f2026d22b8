"""The models that a user wants in a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from bundler import sources
from bundler.disk.reach import Reach
from bundler.errors import SourceError, closest
from bundler.progress import Progress
from bundler.scaffold.names import model_names
from bundler.threads import Crew

__all__ = ["Wanted", "wanted"]

_LISTED = 20


class Wanted(NamedTuple):
    """A model: its name in the bundle, and its source as the manifest spells it."""

    name: str
    source: str


def wanted(given: Sequence[str], folder: Path, only: Sequence[str], progress: Progress, reach: Reach) -> list[Wanted]:
    """The models of all sources, for a manifest in `folder`; with `only`, those whose names fit one of the patterns.

    Sources are relative to the current folder. `reach` limits what is fetched. Raises SourceError if a source holds no
    model, or a pattern fits none.
    """
    moved = [sources.moved(source, Path(), folder) for source in given]
    # In threads: an interrupt in the midst of starting npm would leave it running.
    with Crew(1) as crew:
        listing = partial(sources.listed, base=folder, progress=progress, reach=reach)
        found = list(crew.map(listing, moved))
    listed = dict.fromkeys(chain.from_iterable(found))
    models = [Wanted(*pair) for pair in zip(model_names(list(listed), folder), listed)]
    for pattern in only:
        if not any(fnmatchcase(model.name, pattern) for model in models):
            raise _unknown(pattern, [model.name for model in models])
    return [model for model in models if not only or any(fnmatchcase(model.name, pattern) for pattern in only)]


def _unknown(pattern: str, known: Sequence[str]) -> SourceError:
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    hint = closest(pattern, known) or f"the models are {', '.join(known[:_LISTED])}{more}"
    return SourceError("no model has such a name", found=repr(pattern), hint=hint)
