"""A node of a graph, and the nodes that it reads and that read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

__all__ = ["Neighbourhood", "NodeReport"]


@dataclass(frozen=True)
class NodeReport:
    """A node. `inputs` are spelled `y`, `y:1` or `^y`; `attrs` are texts; `line` is `y = Op(x, key=value)`."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attrs: Mapping[str, str]
    line: str


@dataclass(frozen=True)
class Neighbourhood:
    """A node of the graph of `model`, or of the body of its `function`, which is empty for the graph itself.

    `reads` are the nodes of its inputs, `read_by` those that read it. `becomes` are the nodes that a bundle has in its
    place, empty if the rewrites leave it as it is. `entries` are the inputs and outputs of signatures that it makes, as
    `key: name`.
    """

    model: str
    source: str
    function: str
    node: NodeReport
    reads: tuple[NodeReport, ...]
    read_by: tuple[NodeReport, ...]
    becomes: tuple[NodeReport, ...]
    entries: tuple[str, ...]

    def to_json(self) -> str:
        """One JSON document in ASCII: keys in the order of the fields."""
        return json.dumps(asdict(self), indent=2)
