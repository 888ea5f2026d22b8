"""The cases of the suite, by family."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.layers.case import Case

__all__ = ["FAMILIES", "cases"]

FAMILIES = tuple(sorted(path.stem for path in (Path(__file__).parent / "cases").glob("*.py")))


@cache
def cases() -> Mapping[str, tuple[Case, ...]]:
    """The cases of each family."""
    modules = {name: importlib.import_module(f"tests.layers.cases.{name}") for name in FAMILIES}
    return {name: tuple(module.CASES) for name, module in modules.items()}
