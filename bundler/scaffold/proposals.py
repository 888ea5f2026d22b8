"""Public names for inputs and outputs whose own names say nothing: `Identity_3`, `StatefulPartitionedCall/…`.

Converters leave the names of layers in the graph: the name for an output `Identity` that passes on
`StatefulPartitionedCall/model/person/concat` is `person`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from bundler import ops
from bundler.serving.arguments import argument, unusable

__all__ = ["Named", "proposals"]

_BUILDERS = """
    concat stack unstack split slice clipbyvalue partitionedcall statefulpartitionedcall model functional sequential
    dense conv conv1d conv2d conv3d conv2dtranspose depthwiseconv2d separableconv2d batchnormalization activation
    dropout flatten lambda permute concatenate multiply subtract average input output graph
    tensor placeholder readvariableop argument args const unknown inputs outputs result
"""
"""Names that programs give, without underscores: of graphs, of layers without a name, of functions of TensorFlow."""
_MOST = 100
"""Tensors of a signature up to which names are proposed."""
_READ = 1000
"""Characters of a name that are looked at."""
_LONGEST = 60
"""Characters of a name that is proposed."""
_PATH = re.compile("[/:]|^serving_default_")
_SERVED = "serving_default_"
"""How TensorFlow begins the names of inputs of a SavedModel."""
_NUMBERED = re.compile(r"(?:.*/)?[Ii]dentity(?:_([0-9]{1,9}))?(?::0)?", re.DOTALL)


class Named(NamedTuple):
    """An input or output: its own name, and the node that computes it, before it is passed on under other names."""

    name: str
    origin: str


def proposals(inputs: Sequence[Named], outputs: Sequence[Named]) -> Mapping[str, str]:
    """New names, by the tensor's own, for those that say nothing. No two tensors of a signature get one name."""
    if len(inputs) + len(outputs) > _MOST or {each.name for each in inputs} & {each.name for each in outputs}:
        return {}
    sides = {"input": inputs, "output": outputs}
    made = {each.name: name for side, tensors in sides.items() for each, name in _of_side(side, tensors)}
    taken = {each.name for each in (*inputs, *outputs)}
    times = Counter(made.values())
    clear = {old: new for old, new in made.items() if times[new] == 1 and new not in taken}
    wrong = {found.key for found in unusable(clear.get(each.name, each.name) for each in inputs)}
    return {old: new for old, new in clear.items() if new not in wrong}


def _of_side(side: str, tensors: Sequence[Named]) -> Iterable[tuple[Named, str]]:
    """The tensors that need a name, and one for each: what their nodes are called, else `output`, `output_1`, …"""
    meant = {each.name: _meaning(each.name) or _meaning(each.origin) for each in tensors}
    times = Counter(filter(None, meant.values()))
    for position, each in enumerate(tensors):
        if _is_bare(each.name):
            name = meant[each.name]
            numbered = side if len(tensors) == 1 else f"{side}_{_number(each.name, position)}"
            yield each, name if times[name] == 1 else numbered


def _number(name: str, position: int) -> int:
    """The number of an output of a SavedModel, as its converter counted it; else its position."""
    found = _NUMBERED.fullmatch(name)
    return int(found[1] or 0) if found else position


def _is_bare(name: str) -> bool:
    """Whether a name is that of a node inside of a graph, and not for callers."""
    return len(name) <= _READ and (bool(_PATH.search(name)) or re.sub("_[0-9]+$", "", name) in _ops())


def _meaning(path: str) -> str:
    """The last part of a node's name that a person has chosen, as an identifier; empty if there is none."""
    parts = [part.removeprefix(_SERVED) for part in path[:_READ].removesuffix(":0").split("/")]
    chosen = (part for part in reversed(parts) if not _is_generic(part))
    name = re.sub(r"[^A-Za-z0-9]+", "_", next(chosen, "")).strip("_")
    return name if len(name) <= _LONGEST and name and argument(name) == name else ""


def _is_generic(part: str) -> bool:
    """Whether a part of a name is that of an op or a kind of layer, with a number or a prefix of a converter."""
    words = re.sub(r"(?:_[0-9]+)+$", "", part.lower())
    plain = words.replace("_", "")
    if plain.isdecimal() or not plain:
        return True
    return plain in _generic() or (
        words.rpartition("_")[2] in _generic() and words.startswith(("onnx_", "tf_", "identity_"))
    )


@cache
def _ops() -> frozenset[str]:
    """Names of ops, which TensorFlow gives to nodes without a name."""
    return frozenset(ops.table()) | {"PartitionedCall", "StatefulPartitionedCall"}


@cache
def _generic() -> frozenset[str]:
    """Names of ops, layers and functions, in lower case without underscores."""
    return frozenset(name.lower().removeprefix("_") for name in _ops()) | set(_BUILDERS.split())
