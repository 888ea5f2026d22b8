"""A bundle that a user hands in: whatever is wrong with it, each command ends in a result or in an error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.bundles import BUNDLES, write_sound
from tests.hostile.case import Worker, tree

COMMANDS = [
    ["inspect", "bundle"],
    ["inspect", "bundle", "--graph", "x"],
    ["diff", "bundle", "sound"],
    ["run", "bundle", "x=[1, 2]"],
]
SECONDS, MEMORY = 30, 500_000_000
"""Of the processor, for the machine may have other work; and of the largest process of a run: TensorFlow's takes 330 MB
to begin with."""
STATUSES = {
    # inspect, graph, diff, run
    "sound": (0, 0, 0, 0),
    "empty": (4, 4, 4, 4),
    "cut short": (4, 4, 4, 4),
    "a page": (4, 4, 4, 4),
    "a length beyond the file": (4, 4, 4, 4),
    "a length of eleven bytes": (4, 4, 4, 4),
    "a group without end": (4, 4, 4, 4),
    "attributes nested deep": (0, 0, 0, 0),
    "attributes nested too deep": (4, 4, 4, 1),
    "a million empty nodes": (4, 4, 4, 1),
    "a million empty functions": (4, 4, 4, 1),
    "a million empty nodes of a function": (4, 4, 4, 1),
    "a million empty signatures": (4, 4, 4, 4),
    "a million empty MetaGraphs": (4, 4, 4, 4),
    "ten thousand nodes": (0, 0, 0, 0),
    "thirty thousand signatures": (0, 0, 1, 0),
    "a constant of more elements than a number counts": (0, 0, 0, 1),
    "a constant without elements in sizes beyond all arrays": (0, 0, 0, 1),
    "a constant of a hundred dimensions": (0, 0, 0, 1),
    "a constant of a hundred thousand dimensions": (0, 0, 0, 1),
    "a size below minus one": (0, 0, 1, 0),
    "a size of an exabyte": (0, 0, 1, 1),
    "a function that calls itself": (0, 0, 0, 1),
    "nodes in a circle": (0, 0, 0, 1),
    "two nodes of one name": (0, 1, 0, 0),
    "a tensor that is not there": (0, 0, 0, 1),
    "names with control characters": (0, 0, 1, 0),
    "a pipe": (4, 4, 4, 4),
    "a link to a device": (4, 4, 4, 4),
    "an index without end": (0, 0, 4, 0),
    "an index that names a block again and again": (0, 0, 4, 0),
    "an index of long names": (0, 0, 4, 0),
    "a record nested deep": (0, 0, 0, 0),
    "a record of a number": (0, 0, 0, 0),
    "a record of other types": (0, 0, 0, 0),
    "a record of strange names": (0, 0, 0, 0),
}
"""Exit statuses of the commands. 1 of `diff` says that callers notice what changed."""


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    running = Worker(tmp_path_factory.mktemp("cache"))
    yield running
    running.close()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if "million" in name else []) for name in BUNDLES]
)
def test_a_bundle_of_a_stranger_ends_in_a_result_or_an_error(name: str, worker: Worker, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    BUNDLES[name](project / "bundle")
    write_sound(project / "sound")
    before = tree(project)
    for number, (words, status) in enumerate(zip(COMMANDS, STATUSES[name], strict=True)):
        outputs = tmp_path / f"outputs{number}"
        outputs.mkdir()
        done = worker.run(words, project, outputs)
        said = done.stdout + done.stderr
        assert (done.status, "bug of bundler" in said, "Traceback" in said) == (status, False, False), said
        assert [char for char in set(said) if not (char.isprintable() or char == "\n")] == []
        assert (done.seconds < SECONDS, done.memory < MEMORY) == (True, True)
    assert tree(project) == before


def test_what_a_model_asks_for_beyond_all_arrays_is_an_error_of_the_call(worker: Worker, tmp_path: Path) -> None:
    BUNDLES["a constant of a hundred dimensions"](tmp_path / "bundle")
    done = worker.run(["run", "bundle", "x=[1, 2]"], tmp_path, tmp_path)
    assert done.stderr == f"error: no array has the shape of a value: [{16 * '1, '}… and 84 more]\n"
