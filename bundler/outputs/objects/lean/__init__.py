"""Light functions: a loader holds several copies of each, in C and in Python.

calls ──► shared ──► halves ──► implied
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bundler.ir.fresh import FreshNames
from bundler.ir.model import Function
from bundler.outputs.objects.lean.calls import calling
from bundler.outputs.objects.lean.halves import in_halves
from bundler.outputs.objects.lean.implied import Explicit
from bundler.outputs.objects.lean.shared import sharing

if TYPE_CHECKING:
    from bundler.outputs.objects.functions import Made

__all__ = ["lean"]


def lean(made: Mapping[str, Made], names: FreshNames) -> dict[str, Function]:
    """The functions, by name, and those that they call from now on. `names` are those of functions."""
    explicit = Explicit()
    shared = sharing(calling(made), names)
    return {name: explicit.function(in_halves(function)) for name, function in shared.items()}
