"""Weights as variables: which ones, what becomes of the graph, and bundles that have them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler import checks
from bundler.disk.shards import Group, Memory
from bundler.encoding.graphdef import structure
from bundler.errors import VerificationError
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Node, Tensor, new_node, show
from bundler.ir.protos import FunctionDef
from bundler.ir.weight import Weight
from bundler.link import link
from bundler.manifest.specs import BundleSpec
from bundler.outputs import checkpoint, variables
from bundler.outputs.metagraphs import metagraph
from bundler.outputs.variables import with_variables
from bundler.report import Report
from bundler.runtimes.tensorflow import Runtime
from tests.support.models import placeholder, write_model

FLOAT, INT, STRING = DType.float32, DType.int32, DType.string
VECTOR = np.array([1, 2, 3], np.float32)


def weight(value: np.ndarray) -> Weight:
    dtype = DType.parse(value.dtype.name)
    return Weight(dtype, value.shape, Group((Memory(value.tobytes()),)), 0, value.nbytes, dtype)


def model(value: np.ndarray = VECTOR, *control: str) -> Model:
    """An addition, y = x + w, and a node `other` that a weight may wait for."""
    own = weight(value)
    nodes = (
        placeholder("x", dtype=own.dtype),
        placeholder("other"),
        new_node("Const", "w", control, dtype=own.dtype),
        new_node("AddV2", "y", ["x", "w"], T=own.dtype),
    )
    entry = Signature({"x": TensorSpec(Tensor("x"))}, {"y": TensorSpec(Tensor("y"))})
    return Model(Graph(nodes, {"w": own}), {"s": entry}, producer=1395)


def fed() -> Model:
    given = model()
    return given.map_signatures(lambda spec: replace(spec, tensor=Tensor("w")) if spec.tensor.node == "x" else spec)


def filling_a_table() -> Model:
    return replace(model(), initializers=("y",))


def in_a_function() -> Model:
    given = model()
    body = Function(FunctionDef(), given.graph, {"y": Tensor("y")})
    return replace(given, graph=Graph((placeholder("x"), placeholder("y"))), functions={"f": body})


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(1,), (3,), (2, 3)])
def test_a_float_weight_becomes_a_variable_that_is_read_under_its_name(dtype: str, shape: tuple[int, ...]) -> None:
    given = model(np.ones(shape, dtype))
    made, (variable,) = with_variables(given)
    assert (variable.reader, variable.weight) == ("w", given.graph.weights["w"])
    assert made.graph.weights == {}
    assert [show(one) for one in made.graph.nodes[2:5]] == [
        "w/variable = VarHandleOp()",
        "w = ReadVariableOp(w/variable)",
        "y = AddV2(x, w)",
    ]
    assert made.signatures == given.signatures


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(model(np.array(2, np.float32)), id="a scalar"),
        pytest.param(model(np.array([1, 2], np.int32)), id="whole numbers"),
        pytest.param(model(np.zeros((0, 3), np.float32)), id="nothing"),
        pytest.param(model(np.ones(3, np.complex64)), id="complex numbers"),
        pytest.param(model(VECTOR, "^other"), id="in a loop's frame"),
        pytest.param(fed(), id="fed by callers"),
        pytest.param(filling_a_table(), id="filling a table"),
        pytest.param(in_a_function(), id="in a function"),
    ],
)
def test_what_is_no_such_weight_stays_a_constant(given: Model) -> None:
    assert with_variables(given) == (given, ())


def test_names_that_the_model_uses_are_not_taken() -> None:
    given = model()
    taken = [new_node("NoOp", name) for name in ("w/variable", "w/variable_", "w/set")]
    graph = replace(given.graph, nodes=(*given.graph.nodes, *taken))
    made, (variable,) = with_variables(replace(given, graph=graph))
    assert (variable.handle, variable.setter) == ("w/variable__", "w/set_")
    assert len(made.graph.by_name) == len(made.graph.nodes)


def test_a_scope_goes_before_the_names_in_the_checkpoint_alone() -> None:
    made, (variable,) = with_variables(model(), "m")
    assert (variable.name, variable.reader) == ("m/w", "w")
    assert "w/variable" in made.graph.by_name


def test_a_weight_that_two_models_share_is_one_variable() -> None:
    made, variables = with_variables(link({"one": model(), "two": replace(model(), signatures={})}))
    assert [variable.name for variable in variables] == ["one/w"]
    assert list(made.graph.by_name["two/y"].input) == ["two/x", "one/w"]


def test_each_batch_is_restored_by_nodes_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "_BATCH", 20)
    linked = link({name: replace(model(VECTOR + index), signatures={}) for index, name in enumerate("abc")})
    nodes = metagraph((), linked, in_checkpoint=True).model.graph.by_name
    assert needed(nodes, "checkpoint.restore.1") >= {"b/w/set", "b/w/variable", "checkpoint.filename"}
    assert not needed(nodes, "checkpoint.restore.1") & {"a/w/set", "c/w/set"}
    assert needed(nodes, "checkpoint.restore") >= {"a/w/set", "b/w/set", "c/w/set"}


def needed(nodes: dict[str, Node], name: str) -> set[str]:
    sources = (Tensor.parse(reference).node for reference in nodes[name].input)
    return {name}.union(*(needed(nodes, source) for source in sources))


# Bundles


def product(folder: Path, factor: float, **document: object) -> Path:
    """A model on disk, y = x · w, whose weight is of 16 elements."""
    nodes = [placeholder("x", None, 4), new_node("MatMul", "y", ["x", "w"], T=FLOAT)]
    return write_model(folder, nodes, {"w": factor * np.eye(4, dtype=np.float32)}, **document)


Build = Callable[..., Path]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Two models in one bundle: `double` and `triple`, each with a signature of its name."""
    for name, factor in (("double", 2), ("triple", 3)):
        product(tmp_path / name, factor)

    def run(
        folder: str = "out",
        *,
        weights: str = "variables",
        layout: str = "signatures",
        object_graph: str = "auto",
        **settings: object,
    ) -> Path:
        held = {"weights": weights, "layout": layout, "object_graph": object_graph}
        lines = ["[bundle]", 'name = "products"', *(f'{key} = "{value}"' for key, value in held.items())]
        for name in ("double", "triple"):
            lines += ["[[model]]", f'name = "{name}"', f'source = "{name}"']
            lines += [f'tags = ["{name}"]'] if layout == "tags" else []
            lines += ["[[model.signature]]", f'key = "{name}"']
        (tmp_path / "bundle.toml").write_text("\n".join(lines))
        bundler.build(tmp_path / "bundle.toml", output=tmp_path / folder, **settings)
        return tmp_path / folder

    return run


def answer(runtime: Runtime, bundle: Path, model: str, *tags: str) -> float:
    """What a model makes of ones."""
    ones = np.ones((1, 4), np.float32)
    scope = "" if tags else f"{model}/"
    (found,) = runtime.run(bundle, tags or ["serve"], {f"{scope}x:0": ones}, [f"{scope}y:0"])
    assert np.array_equal(found, found[0, 0] * ones)
    return float(found[0, 0])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_server_restores_the_variables(engine: Runtime, build: Build) -> None:
    bundle = build()
    assert [answer(engine, bundle, name) for name in ("double", "triple")] == [2, 3]
    assert sorted(contents(bundle)) == [
        "assets.extra/bundle.json",
        "saved_model.pb",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
    ]


def test_metagraphs_share_one_checkpoint(engine: Runtime, build: Build) -> None:
    bundle = build(layout="tags")  # where both weights are called `w`
    assert [answer(engine, bundle, name, name) for name in ("double", "triple")] == [2, 3]
    assert len(list((bundle / "variables").iterdir())) == 2


def test_large_weights_are_restored_batch_by_batch(
    runtime: Runtime, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "_BATCH", 100)
    bundle = build()
    assert [answer(runtime, bundle, name) for name in ("double", "triple")] == [2, 3]
    assert len(list((bundle / "variables").glob("*.data-*-of-00002"))) == 2


@pytest.mark.parametrize(("limit", "kept"), [(127, True), (128, False)])
def test_weights_are_variables_from_a_size_on(
    build: Build, monkeypatch: pytest.MonkeyPatch, limit: int, kept: bool
) -> None:
    monkeypatch.setattr(variables, "_LARGE", limit)
    (data,) = (build(weights="auto") / "variables").glob("*.data-*")
    assert (data.stat().st_size > 128) == kept


def test_the_manifest_says_from_which_size_on_weights_are_variables() -> None:
    assert f"variables above {variables._LARGE >> 20} MiB" in str(BundleSpec.model_fields["weights"].description)


@pytest.mark.parametrize("settings", [{"layout": "tags"}, {"object_graph": "never"}], ids=str)
def test_constants_make_no_checkpoint(build: Build, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    monkeypatch.setattr(variables, "_LARGE", 0)
    assert sorted(contents(build(weights="constants", **settings))) == ["assets.extra/bundle.json", "saved_model.pb"]


def test_with_an_object_graph_constants_make_a_checkpoint_as_tensorflow_writes_it(
    build: Build, runtime: Runtime, tmp_path: Path
) -> None:
    saving = checkpoint.save("save", "to", {checkpoint.OBJECTS: ("objects", STRING)})
    nodes = [checkpoint.text("to", tmp_path / "variables"), checkpoint.text("objects", checkpoint.NO_OBJECTS), *saving]
    runtime.execute(structure(Model(Graph(tuple(nodes)), producer=1395)), ["save"])
    found = contents(build(weights="constants") / "variables")
    assert found == {name: (tmp_path / name).read_bytes() for name in found}
    assert sorted(found) == ["variables.data-00000-of-00001", "variables.index"]


@pytest.mark.parametrize("layout", ["signatures", "tags"])
def test_two_builds_are_byte_identical(build: Build, layout: str) -> None:
    one = build("one", layout=layout, jobs=1)
    two = build("two/at/another/place", layout=layout, jobs=4, check=False)
    assert contents(one) == contents(two)


def test_a_build_reports_that_it_restored_them(build: Build, tmp_path: Path) -> None:
    build()
    report: Report = bundler.build(tmp_path / "bundle.toml", output=tmp_path / "other")
    assert [check.name for check in report.checks] == ["load", "restore"]
    assert report.checks[1].detail.startswith("2 variables of 128 bytes in ")


# What the check finds


def written(folder: Path, runtime: Runtime, value: np.ndarray) -> None:
    checkpoint.write({"m/w": weight(value)}, folder, runtime)


def damage(folder: Path, runtime: Runtime) -> None:
    (data,) = folder.glob("variables/*.data-*")
    data.write_bytes(b"\xff" + data.read_bytes()[1:])


def widen(folder: Path, runtime: Runtime) -> None:
    shutil.rmtree(folder / "variables")
    written(folder, runtime, VECTOR.astype(np.float64))


def remove(folder: Path, runtime: Runtime) -> None:
    shutil.rmtree(folder / "variables")


@pytest.mark.parametrize(
    ("fault", "said"),
    [(damage, "Checksum"), (widen, "dtype"), (remove, "variables/variables")],
)
def test_a_checkpoint_that_does_not_fit_is_found(
    tmp_path: Path, runtime: Runtime, fault: Callable[[Path, Runtime], None], said: str
) -> None:
    made = metagraph(("serve",), link({"m": model()}), in_checkpoint=True)
    written(tmp_path, runtime, VECTOR)
    assert checks.restore(tmp_path, made, runtime).name == "restore"
    fault(tmp_path, runtime)
    with pytest.raises(VerificationError, match=said):
        checks.restore(tmp_path, made, runtime)
