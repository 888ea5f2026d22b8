"""What several test files need: TensorFlow's runtime and TensorFlow.js, each started once."""

from __future__ import annotations

import fcntl
import functools
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import bundler
from bundler import manifest
from bundler.comparison.references import library
from bundler.disk.cache import Cache, default_folder
from bundler.manifest import Compat
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.support import zoo
from tests.support.places import MANIFESTS, TESTS

NODE = TESTS / "node"


STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"}
"""Audit events of a process that starts another: docs.python.org/3/library/audit_events.html."""

SLOW_PACKAGES = {"distributed", "keras", "tensorflow", "tensorflowjs", "tf_keras"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick", action="store_true", help="skip each test when it asks for TensorFlow or another program"
    )


def pytest_configure(config: pytest.Config) -> None:
    # A shell that runs the tests in the background ignores interrupts, and so does every program started from here:
    # a test of an interrupt would never end.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("--quick"):
        sys.addaudithook(skip_what_is_slow)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names of tests stay short, whatever text they are about."""
    return f"{val[:40]!a}…" if isinstance(val, (str, bytes)) and len(val) > 80 else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.config.getoption("--quick") and item.get_closest_marker("long"):
        pytest.skip("takes long")


def skip_what_is_slow(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: skip the running test if it is about to start a program, or to import what takes seconds."""
    if event in STARTS:
        pytest.skip("starts a program", allow_module_level=True)
    if event == "import" and arguments[0] in SLOW_PACKAGES:
        pytest.skip(f"imports {arguments[0]}", allow_module_level=True)


@pytest.fixture(scope="session")
def tensorflowjs_modules() -> Path:
    """The folder `node_modules` with the TensorFlow.js that package-lock.json names, installed if need be."""
    modules = NODE / "node_modules"
    with (NODE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # pytest may run in several processes
        needed = (
            modules / name / "package.json"
            for name in ("@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm", "@napi-rs/canvas")
        )
        if not all(package.is_file() for package in needed):
            subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=NODE, check=True)
    return modules


@pytest.fixture
def cached_tensorflowjs(tensorflowjs_modules: Path) -> None:
    """The file of TensorFlow.js that `verify` would have npm fetch, in the cache."""
    kept = tensorflowjs_modules / "@tensorflow" / "tfjs" / "dist" / "tf.min.js"
    Cache(default_folder()).get(library.SOURCE, lambda folder: shutil.copy(kept, folder))


@pytest.fixture(scope="session")
def javascript(tensorflowjs_modules: Path) -> Iterator[TensorFlowJs]:
    """TensorFlow.js, running."""
    with TensorFlowJs(tensorflowjs_modules) as running:
        yield running


@pytest.fixture(scope="session")
def wasm(tensorflowjs_modules: Path) -> Iterator[TensorFlowJs]:
    """TensorFlow.js on its WASM backend."""
    with TensorFlowJs(NODE / "wasm.js") as running:
        yield running


@pytest.fixture(scope="session")
def runtime() -> Iterator[Runtime]:
    """TensorFlow's runtime, running."""
    with Runtime() as running:
        yield running


@pytest.fixture(scope="session")
def python_runtime() -> Iterator[Runtime]:
    """The same by `import tensorflow`, as if its wheel had no C library."""
    with Runtime(engine="python") as running:
        yield running


@pytest.fixture(params=["native", pytest.param("python", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest) -> Runtime:
    """Both engines, one after the other."""
    fixture = {"native": "runtime", "python": "python_runtime"}[request.param]
    running: Runtime = request.getfixturevalue(fixture)
    return running


@pytest.fixture(scope="session")
def manifest_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`manifests/<name>.toml`, or that of the zoo."""

    @functools.cache
    def find(name: str) -> Path:
        return zoo.write_manifest(tmp_path_factory.mktemp("zoo")) if name == "zoo" else MANIFESTS / f"{name}.toml"

    return find


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, manifest_of: Callable[[str], Path]) -> Callable[..., Path]:
    """The bundle of `manifests/<name>.toml`, built once for each of its settings."""

    @functools.cache
    def build(name: str, weights: str = "constants", compat: Compat = Compat.NONE, object_graph: str = "auto") -> Path:
        spec = manifest.read(manifest_of(name))
        output = tmp_path_factory.mktemp("bundles") / name
        settings = {"weights": weights, "compat": compat, "object_graph": object_graph}
        held = replace(spec, bundle=spec.bundle.model_copy(update=settings))
        bundler.build(held, output=output, jobs=2)
        return output

    return build


@pytest.fixture(name="cache")
def cache_folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def small_files() -> Callable[[], AbstractContextManager[None]]:
    """While the context lasts, no file may grow past 10,000 bytes: so a disk that is full says no."""
    resource = pytest.importorskip("resource")

    @contextmanager
    def limited() -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited
