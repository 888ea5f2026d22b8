"""Input that means harm, or is broken: each case ends in the error that it must, and leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.case import COMMAND, Case, Worker, cases, tree

SECONDS = 10
"""Of the processor: the machine may have other work."""
MEMORY = 500_000_000
"""Bytes that the largest process of a run may take."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def worker(cache: Path) -> Iterator[Worker]:
    running = Worker(cache)
    yield running
    running.close()


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_a_hostile_input_ends_in_its_error_and_leaves_no_trace(
    case: Case, worker: Worker, cache: Path, tmp_path: Path
) -> None:
    project, outputs = tmp_path / "project", tmp_path / "outputs"
    project.mkdir()
    outputs.mkdir()
    case.set_up(project)
    before = tree(project)
    done = worker.run(case.settings.get("command", COMMAND), project, outputs)
    assert (done.stderr, done.status) == (case.expected, case.status)
    assert case.status == 0 or tree(project) == before
    assert list(cache.rglob("*.part")) == []
    assert done.seconds < SECONDS
    assert done.memory < MEMORY
