"""The cases of the suite, by category: TensorFlow.js' own op lists."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.conformance.case import Case

__all__ = ["CATEGORIES", "cases"]

CATEGORIES = tuple(sorted(path.stem for path in (Path(__file__).parent / "cases").glob("*.py")))


@cache
def cases() -> Mapping[str, tuple[Case, ...]]:
    """The cases of each category."""
    modules = {name: importlib.import_module(f"tests.conformance.cases.{name}") for name in CATEGORIES}
    return {name: tuple(module.CASES) for name, module in modules.items()}
