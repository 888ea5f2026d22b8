"""A node and its neighbours, as lines of text in the notation of the docs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from bundler.cli.screen import Line

if TYPE_CHECKING:
    from bundler.report.neighbourhood import Neighbourhood, NodeReport

__all__ = ["neighbour_lines"]

_MOST = 20
"""Neighbours that are listed: a node may have a hundred thousand."""


def neighbour_lines(found: Neighbourhood) -> Iterator[Line]:
    """The node, what it reads, what reads it; `Before` and `After` if a bundle has other nodes in its place."""
    folder, name = _folder(found), found.node.name
    place = f" (function {found.function} of {found.model})" if found.function else f" ({found.model})"
    yield [(name, "bold"), (place, "dim")]
    yield from ([("  is ", "dim"), (entry, "")] for entry in found.entries)
    if folder:
        yield [(f"  names below {folder} are short", "dim")]
    yield from _block("reads", found.reads, folder)
    if found.becomes:
        yield from _block("Before", [found.node], folder, "cyan")
        yield from _block("After", found.becomes, folder, "cyan")
    else:
        yield from _block("node", [found.node], folder, "cyan")
    yield from _block("read by", found.read_by, folder)


def _block(title: str, nodes: Sequence[NodeReport], folder: str, style: str = "") -> Iterator[Line]:
    if nodes:
        yield [(f"  {title}:", "dim")]
        yield from ([(f"    {_short(node, folder)}", style)] for node in nodes[:_MOST])
    if len(nodes) > _MOST:
        yield [(f"    … and {len(nodes) - _MOST:,} more", "dim")]


def _short(node: NodeReport, folder: str) -> str:
    return re.sub(rf"(^|[ (^]){re.escape(folder)}", r"\1", node.line) if folder else node.line


def _folder(found: Neighbourhood) -> str:
    """The part, up to a slash, that most names have in common; empty if they are clear only in full."""
    from bundler.ir.nodes import Tensor

    near = (found.node, *found.reads, *found.read_by, *found.becomes)
    names = {Tensor.parse(name).node for node in near for name in (node.name, *node.inputs)}
    scopes = Counter(name.partition("/")[0] + "/" for name in sorted(names) if "/" in name)
    if not scopes:
        return ""
    ((scope, _),) = scopes.most_common(1)
    inside = {name for name in names if name.startswith(scope)}
    levels = zip(*(name.split("/")[:-1] for name in inside))
    folder = "".join(f"{level[0]}/" for level in takewhile(lambda level: len({*level}) == 1, levels))
    return "" if {name.removeprefix(folder) for name in inside} & (names - inside) else folder
