"""The rules of the house: which way imports go, what a start may load, how large things may grow."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bundler"

STAGES = """
    errors
    files
    dtypes
    protos
    shards
    weight
    nodes
    fresh
    model
    ops
    tables
    renames
    progress
    locks
    threads
    digest
    scratch
    wire
    graphdef
    parallel
    child
    runtime
    reference
    report

    manifest
    document
    foreign
    graphjson
    early
    stored
    artifact
    sources
    tfjs
    serving
    arguments
    select
    reshape
    calling
    soundness loops
    rewrites
    link
    convert
    cluster
    conversions
    checkpoint
    variables
    savedmodel
    shapes
    infer
    publish
    record
    verify
    batches

    pipeline
    inspection
    calls
    api
    bundler
    console
    cli
    __main__
"""
"""Each stage knows those above it. First the words that all of them speak; then the stages, from the manifest to the
checks; then those who use them. Names on one line are one stage; `bundler` is the package's own `__init__`."""

STANDS_ALONE = {"publish": {"errors", "locks", "progress", "scratch", "threads"}}
"""Stages that know less than their place would allow."""

OF_KERAS = {"tfjs.layers.keras", "tfjs.layers.making"}
"""What runs in Keras' process."""

OWNERS = {
    "tqdm": {"console"},
    "rich": {"console"},
    "click": {"cli", "cli.convert", "cli.frame", "console", "__main__"},
    "pydantic": {"manifest", "manifest.faults", "record"},
    "tensorflow": {"protos", "runtime.engines.python", "api.functions", "api.graphs", *OF_KERAS},
    "tensorflowjs": set(),
    "tf_keras": OF_KERAS,
}
"""Packages that only these modules import."""

LATE = {"tensorflow", "tensorflowjs", "tf_keras", "joblib", "distributed"}
"""Packages that are slow to load: never imported by importing one of our modules."""

LINES_OF_A_FILE = 350
LINES_OF_A_FUNCTION = 45


class Import(NamedTuple):
    """`name`, dotted; `late` where it is inside a function or for the type checker alone."""

    name: str
    late: bool


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the package, by its dotted name below `bundler`."""
    return {_dotted(path): ast.parse(path.read_text(), str(path)) for path in sorted(PACKAGE.rglob("*.py"))}


def _dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "bundler"


def imports(node: ast.AST, late: bool = False) -> Iterator[Import]:
    """All imports below a node; `from a import b` counts as `a.b`."""
    late = late or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or _is_for_types(node)
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, late) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        source = "." * node.level + (f"{node.module}." if node.module else "")
        yield from (Import(source + alias.name, late) for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from imports(child, late)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) and not node.orelse


def stage_of(imported: str) -> str | None:
    """The stage behind `bundler.tfjs.weights.read`; None for what is not ours, and for our version."""
    top, _, rest = imported.partition(".")
    first = rest.partition(".")[0]
    return None if top != "bundler" or first == "__version__" else first if first in places() else "bundler"


@cache
def places() -> dict[str, int]:
    """The line of each stage in the picture."""
    return {name: line for line, names in enumerate(STAGES.splitlines()) for name in names.split()}


@pytest.mark.parametrize("module", trees())
def test_every_module_has_its_place_in_the_picture(module: str) -> None:
    assert module.partition(".")[0] in places()


@pytest.mark.parametrize("module", trees())
def test_imports_go_up_the_picture_only(module: str) -> None:
    stage = module.partition(".")[0]
    known = {name for name, line in places().items() if line <= places()[stage]}
    used = {stage_of(imported.name) for imported in imports(trees()[module])} - {None}
    assert used <= STANDS_ALONE.get(stage, known) | {stage}


@pytest.mark.parametrize("module", trees())
def test_imports_are_absolute_but_in_the_package_that_a_child_process_runs_without_the_rest(module: str) -> None:
    relative = {imported.name for imported in imports(trees()[module]) if imported.name.startswith(".")}
    siblings = {name for name in relative if not name.startswith("..")}
    assert relative - (siblings if module.startswith("runtime.engines.") else set()) == set()


@pytest.mark.parametrize("module", trees())
def test_a_package_with_one_owner_is_imported_by_its_owner_only(module: str) -> None:
    used = {imported.name.partition(".")[0] for imported in imports(trees()[module])}
    assert not {package for package in used & OWNERS.keys() if module not in OWNERS[package]}


@pytest.mark.parametrize("module", trees())
def test_slow_packages_are_imported_where_they_are_used(module: str) -> None:
    early = {imported.name.partition(".")[0] for imported in imports(trees()[module]) if not imported.late}
    assert not early & LATE


def _defined(body: list[ast.stmt]) -> Iterator[str]:
    """The names that a module's own statements define, imports aside."""
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield statement.name
        elif isinstance(statement, ast.Assign):
            yield from (name.id for name in ast.walk(ast.Tuple(statement.targets)) if isinstance(name, ast.Name))
        elif isinstance(statement, ast.AnnAssign):
            yield ast.unparse(statement.target)
        elif isinstance(statement, (ast.If, ast.Try, ast.With)):
            yield from _defined(statement.body)


def _aliases(tree: ast.Module) -> set[str]:
    """Other names for types, which a module may keep to itself."""
    assigned = [statement for statement in tree.body if isinstance(statement, ast.AnnAssign)]
    return {ast.unparse(alias.target) for alias in assigned if ast.unparse(alias.annotation) == "TypeAlias"}


def _listed(tree: ast.Module) -> list[str] | None:
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return list(ast.literal_eval(statement.value))
    return None


@pytest.mark.parametrize("module", [name for name, tree in trees().items() if _listed(tree) is not None])
def test_all_lists_what_the_module_offers(module: str) -> None:
    tree = trees()[module]
    listed, defined = set(_listed(tree) or []), set(_defined(tree.body))
    passed_on = {imported.name.rpartition(".")[2] for imported in imports(tree)} if _passes_names_on(module) else set()
    public = {name for name in defined if not name.startswith("_")} - _aliases(tree)
    assert public - listed == set(), "a name that is nobody else's business begins with _"
    assert listed - defined - passed_on == set()


def _passes_names_on(module: str) -> bool:
    """Packages pass on what their modules define; `protos` passes on TensorFlow's messages."""
    return module == "protos" or (PACKAGE / module.replace(".", "/")).is_dir() or module == "bundler"


@pytest.mark.parametrize("module", sorted(PACKAGE.rglob("*.py")), ids=_dotted)
def test_a_file_is_short_enough_to_find_the_way_in(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= LINES_OF_A_FILE


def test_at_most_one_function_in_ten_is_long() -> None:
    functions = {
        f"{module}.{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    long = sorted(name for name, lines in functions.items() if lines > LINES_OF_A_FUNCTION)
    assert len(long) <= len(functions) / 10, long


def _loaded_by(*arguments: str) -> set[str]:
    """The modules that a run of bundler imports, itself; its exit status must be 0."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bundler", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return set(re.findall(r"^import time:.*\| +(\S+)$", run.stderr, re.MULTILINE))


def test_help_loads_nothing_heavy() -> None:
    assert not _loaded_by("--help") & {"tensorflow", "tensorflowjs", "keras", "joblib", "pydantic", "rich"}


def test_a_build_does_not_import_tensorflow(tmp_path: Path) -> None:
    loaded = _loaded_by("build", "manifests/tiny.toml", "--output", str(tmp_path / "tiny"))
    assert "bundler.savedmodel" in loaded
    assert not loaded & {"tensorflow", "tensorflow.python", "tensorflowjs", "keras"}


def test_no_file_names_the_host_of_a_package_registry() -> None:
    hosts = [b"registry.npm" + b"js", b"py" + b"pi.org", b"files.python" + b"hosted", b"deb." + b"debian"]
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    contents = {path: path.read_bytes() for path in files if path.is_file()}
    assert contents
    assert not [str(path) for path, content in contents.items() if any(host in content for host in hosts)]
