from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.api.known import write

Written = Callable[[str], str]


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The folder of one of `known.MODELS`, written once."""
    return cache(lambda name: write(name, tmp_path_factory.mktemp("models") / name))


@pytest.fixture(scope="session")
def tf() -> Any:
    import tensorflow

    return tensorflow
