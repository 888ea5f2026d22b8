"""A node and its neighbours, as lines of text in the notation of the docs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bundler.cli.screen import Line

if TYPE_CHECKING:
    from bundler.report.neighbourhood import Neighbourhood, NodeReport

__all__ = ["neighbour_lines"]

_MOST = 20
"""Neighbours that are listed: a node may have a hundred thousand."""


def neighbour_lines(found: Neighbourhood) -> Iterator[Line]:
    """The node, what it reads, what reads it; `Before` and `After` if a bundle has other nodes in its place."""
    place = f" (function {found.function} of {found.model})" if found.function else f" ({found.model})"
    yield [(found.node.name, "bold"), (place, "dim")]
    yield from ([("  is ", "dim"), (entry, "")] for entry in found.entries)
    yield from _block("reads", found.reads)
    if found.becomes:
        yield from _block("Before", [found.node], "cyan")
        yield from _block("After", found.becomes, "cyan")
    else:
        yield from _block("node", [found.node], "cyan")
    yield from _block("read by", found.read_by)


def _block(title: str, nodes: Sequence[NodeReport], style: str = "") -> Iterator[Line]:
    if nodes:
        yield [(f"  {title}:", "dim")]
        yield from ([(f"    {node.line}", style)] for node in nodes[:_MOST])
    if len(nodes) > _MOST:
        yield [(f"    … and {len(nodes) - _MOST:,} more", "dim")]
