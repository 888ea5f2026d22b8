"""The rules of the house. The tree shows the rooms; these rules keep them apart."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from tests.support.places import ROOT

PACKAGE = ROOT / "bundler"

FLOORS = """
    errors threads progress
    disk
    ir
    ops
    encoding runtimes artifacts manifest soundness drafting
    sources lockfile serving steps
    tfjs rewrites link outputs
    stored report
    bundle
    convert
    compose
    checks comparison scaffold
    inspection differences exports page
    verbs
    api
    cli
    __main__
"""
"""Rooms of the package from the ground up. A room imports from the floors below its own."""

OWNERS = {
    "tqdm": ("cli/progress/meter.py",),
    "click": ("cli/", "__main__.py"),
    "pydantic": ("manifest/", "lockfile/", "report/record.py", "page/reading.py"),
    "jinja2": ("page/",),
    "markupsafe": ("page/",),
    "tensorflow": ("ir/protos.py", "runtimes/tensorflow/engines/python.py", "runtimes/exporters/tflite.py", "api/"),
    "tensorflowjs": (),
    "tf_keras": (),
}
"""Packages that only these rooms import."""

LATE = {"tensorflow", "tensorflowjs", "tf_keras", "joblib", "distributed", "onnxruntime", "jinja2", "markupsafe"}
"""Packages that are slow to load: no module of ours imports them at its top."""

LISTS = ("cli/commands", "rewrites/rules", "verbs")
"""Folders whose files are entries of a list: more of them make the folder no harder to read."""

MOST_FILES, MOST_LINES, MOST_LINES_OF_A_FUNCTION = 12, 350, 46


class Import(NamedTuple):
    """`name`, dotted; `late` if it is inside a function or for the type checker alone."""

    name: str
    late: bool


@cache
def trees() -> dict[Path, ast.Module]:
    """Every module of the package, by its path below `bundler`."""
    return {path.relative_to(PACKAGE): ast.parse(path.read_text(), str(path)) for path in sorted(PACKAGE.rglob("*.py"))}


def room(module: Path) -> str:
    """The folder of a module, or its own name if it lies at the top."""
    return module.parts[0] if len(module.parts) > 1 else module.stem


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


def _arrows() -> set[tuple[str, str]]:
    """Pairs of rooms, the first of which imports from the second. The package's own `__init__` is not a room."""
    return {
        (room(module), imported.name.split(".")[1])
        for module, tree in trees().items()
        for imported in imports(tree)
        if imported.name.startswith("bundler.") and room(module) != "__init__"
    }


def _order() -> dict[str, int]:
    """The floor of each room."""
    floors = FLOORS.strip().split("\n")
    return {name: floor for floor, names in enumerate(floors) for name in names.split()}


def test_rooms_import_from_the_floors_below_their_own() -> None:
    order = _order()
    print(FLOORS)  # noqa: T201 - the order of the rooms, for a reader
    assert {room(module) for module in trees()} - {"__init__"} == order.keys()
    rising = {(user, used) for user, used in _arrows() if user != used and used != "__version__"}
    assert {pair for pair in rising if order[pair[1]] >= order[pair[0]]} == set()


def test_every_room_has_one_row_in_the_page_from_the_ground_up() -> None:
    page = (PACKAGE.parent / "docs" / "ARCHITECTURE.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `bundler/")]
    named = [[Path(name).stem for name in re.findall(r"`bundler/([\w.]+)`", row)] for row in rows]
    assert sorted(chain.from_iterable(named)) == sorted({room(module) for module in trees()} - {"__init__", "__main__"})
    floors = [max(_order()[name] for name in names) for names in named]
    assert floors == sorted(floors)


def test_folders_are_small_and_few_modules_lie_beside_them() -> None:
    folders = [PACKAGE, *(path for path in PACKAGE.rglob("*") if path.is_dir() and path.name != "__pycache__")]
    files = {
        folder.relative_to(PACKAGE).as_posix(): sum(path.is_file() for path in folder.iterdir()) for folder in folders
    }
    for folder in LISTS:
        del files[folder]
    assert len(list(PACKAGE.glob("*.py"))) <= 5
    assert {folder: count for folder, count in files.items() if count > MOST_FILES} == {}


def test_files_and_functions_are_short() -> None:
    lines = {module: len((PACKAGE / module).read_text().splitlines()) for module in trees()}
    functions = {
        f"{module}: {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    assert {module: count for module, count in lines.items() if count > MOST_LINES} == {}
    assert {name: count for name, count in functions.items() if count > MOST_LINES_OF_A_FUNCTION} == {}


def test_imports_are_absolute_but_in_the_engines_that_run_without_the_rest_of_bundler() -> None:
    relative = {module for module, tree in trees().items() for each in imports(tree) if each.name.startswith(".")}
    assert {module.parent.as_posix() for module in relative} <= {"runtimes/tensorflow/engines"}


def test_a_package_with_owners_is_imported_by_them_only() -> None:
    used = {
        (each.name.partition(".")[0], module.as_posix()) for module, tree in trees().items() for each in imports(tree)
    }
    assert {(name, module) for name, module in used if name in OWNERS and not module.startswith(OWNERS[name])} == set()


def test_slow_packages_are_imported_when_they_are_used() -> None:
    early = {
        (module.as_posix(), each.name)
        for module, tree in trees().items()
        for each in imports(tree)
        if not each.late and each.name.partition(".")[0] in LATE
    }
    assert early == set()


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


def test_all_lists_what_a_module_offers() -> None:
    wrong = {module.as_posix(): names for module, tree in trees().items() if (names := _unlisted(module, tree))}
    assert wrong == {}


def _unlisted(module: Path, tree: ast.Module) -> set[str]:
    """Names that `__all__` lacks, or lists without need."""
    listed = _listed(tree)
    if listed is None:
        return set()
    defined = set(_defined(tree.body))
    public = {name for name in defined if not name.startswith("_")} - _aliases(tree)
    passes_on = module.name == "__init__.py" or module.as_posix() == "ir/protos.py"
    passed_on = {each.name.rpartition(".")[2] for each in imports(tree)} if passes_on else set()
    return (public - set(listed)) | (set(listed) - defined - passed_on)


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
    assert not _loaded_by("--help") & {"tensorflow", "tensorflowjs", "keras", "joblib", "pydantic", "tqdm"}


def test_a_build_does_not_import_tensorflow(tmp_path: Path) -> None:
    loaded = _loaded_by("build", "manifests/tiny.toml", "--output", str(tmp_path / "tiny"))
    assert "bundler.outputs.savedmodel" in loaded
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
