"""Models to begin with: those of the repository, and the graphs of the conformance cases."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.conformance.case import Case
from tests.conformance.table import cases
from tests.support.models import write_model
from tests.support.places import ROOT

__all__ = ["corpus"]

_LARGEST = 1 << 16
"""Bytes of a model: a larger one takes long to change, and shows no more."""


@cache
def corpus() -> tuple[dict[str, bytes], ...]:
    """The files of each model, by their names."""
    folders = [path.parent for path in sorted((ROOT / "manifests" / "models").glob("*/model.json"))]
    # Not the hostile cases: most are refused at the first look.
    folders += [
        path.parent
        for path in sorted((ROOT / "tests").rglob("model.json"))
        if not {"node_modules", "hostile"} & set(path.parts)
    ]
    found = [*map(_files, folders), *_cases()]
    return tuple(files for files in found if "model.json" in files and sum(map(len, files.values())) <= _LARGEST)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def _cases() -> Iterator[dict[str, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        for category in cases().values():
            yield from (_written(case, Path(folder) / str(number)) for number, case in enumerate(category))


def _written(case: Case, folder: Path) -> dict[str, bytes]:
    nodes = [*case.placeholders, *case.nodes]
    write_model(folder, nodes, case.weights, functions=case.functions, **case.document)
    return _files(folder)
