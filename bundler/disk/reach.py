"""How far a run goes for what it fetches: to the cache alone, or to the servers again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bundler.errors import BundlerError

__all__ = ["USUAL", "Reach"]


@dataclass(frozen=True)
class Reach:
    """By default a source is fetched once, and kept.

    `offline`: nothing is fetched. `refresh`: each source is asked for again, once in a run; `asked` are the keys of
    those that were. `pinned` are the names of the cache's objects that a lock expects, by the sources' keys: an object
    is found by its name then, whatever the cache has under the key.
    """

    offline: bool = False
    refresh: bool = False
    pinned: Mapping[str, str] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.offline and self.refresh:
            raise BundlerError("a run that is offline cannot refresh its sources", hint="choose one of the two")


USUAL = Reach()
"""What is not kept is fetched."""
