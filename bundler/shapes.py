"""What TensorFlow infers of a graph, asked once: to load TensorFlow takes longer than many a build.

    <cache>/shapes/<sha256 of the question>.json

A question is the structure of a graph, some of its tensors, and which TensorFlow is asked. The folder may be deleted at
any time: what is missing is asked again.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from bundler.dtypes import DType
from bundler.nodes import Shape
from bundler.runtime import Runtime, identity
from bundler.sources.cache import default_folder

__all__ = ["shapes"]

Told: TypeAlias = "list[tuple[DType, Shape | None]]"


def shapes(graph_def: bytes, tensors: Sequence[str], runtime: Callable[[], Runtime]) -> Told:
    """The dtype and shape of tensors of a serialized GraphDef, as `Runtime.shapes` gives them.

    The runtime is only asked for what it has not told before.
    """
    path = default_folder() / "shapes" / f"{_digest(graph_def, tensors)}.json"
    told = _read(path)
    if len(told) != len(tensors):
        told = runtime().shapes(graph_def, tensors)
        _write(path, told)
    return told


def _digest(graph_def: bytes, tensors: Sequence[str]) -> str:
    hashed = hashlib.sha256(json.dumps([identity(), *tensors]).encode())
    hashed.update(graph_def)
    return hashed.hexdigest()


def _read(path: Path) -> Told:
    """The answer that was kept; an empty one where there is none, or none that makes sense."""
    try:
        kept = json.loads(path.read_bytes())
        return [(DType(dtype), None if shape is None else tuple(shape)) for dtype, shape in kept]
    except (OSError, ValueError, TypeError):
        return []


def _write(path: Path, told: Told) -> None:
    """Keep an answer, whole or not at all. Where nothing can be kept, it is asked again."""
    fresh = path.with_name(f".{secrets.token_hex(4)}.part")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps([(dtype.value, shape) for dtype, shape in told]) + "\n")
        fresh.replace(path)
