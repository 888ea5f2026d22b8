"""What several test files need: TensorFlow's runtime and TensorFlow.js, each started once."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from bundler import manifest, pipeline
from bundler.reference import TensorFlowJs
from bundler.runtime import Runtime

NODE = Path(__file__).parent / "node"
MANIFESTS = Path(__file__).parent.parent / "manifests"


@pytest.fixture(scope="session")
def tensorflowjs_modules() -> Path:
    """The folder `node_modules` with the TensorFlow.js that package-lock.json names; installed where it is not."""
    modules = NODE / "node_modules"
    with (NODE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # pytest may run in several processes
        if not (modules / "@tensorflow" / "tfjs" / "package.json").is_file():
            subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=NODE, check=True)
    return modules


@pytest.fixture(scope="session")
def javascript(tensorflowjs_modules: Path) -> Iterator[TensorFlowJs]:
    """TensorFlow.js, running."""
    with TensorFlowJs(tensorflowjs_modules) as running:
        yield running


@pytest.fixture(scope="session")
def runtime() -> Iterator[Runtime]:
    """TensorFlow's runtime, running."""
    with Runtime() as running:
        yield running


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The bundle of `manifests/<name>.toml`, built once."""

    @cache
    def build(name: str) -> Path:
        spec = manifest.read(MANIFESTS / f"{name}.toml")
        output = tmp_path_factory.mktemp("bundles") / name
        pipeline.build(spec, output=output, jobs=2)
        return output

    return build
