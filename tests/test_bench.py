from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from bench import builds, chart, manifests, measure, models, table, use
from bench.__main__ import main
from bench.builds import Setting, predecessor
from bench.chart import Line, Panel
from bench.latency import compared
from bench.loaded import LOADERS, loaded
from bench.loads import opened
from bench.measure import Failed, TooLong
from bench.rows import Goal, Row
from bench.weights import ONEDNN
from bench.works import WORKS, Work
from bundler.link import share_weights
from bundler.manifest import Compat
from bundler.rewrites import run
from tests.support.models import read_model

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the bench reads memory from /proc")

MB = 1_000_000


def bench(tmp_path: Path, *arguments: str) -> tuple[Result, list[dict[str, object]]]:
    """A run of the bench, and the rows of its document."""
    document = tmp_path / "bench.json"
    done = CliRunner().invoke(main, [*arguments, "--scratch", str(tmp_path / "scratch"), "--json", str(document)])
    return done, json.loads(document.read_text())["rows"]


def test_the_smallest_run_gives_a_table_and_a_document(tmp_path: Path) -> None:
    done, rows = bench(tmp_path, "start", "--runs", "1")
    assert done.exit_code == 0
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:3]] == [["start", "--help"], ["start", "--version"]]
    document = json.loads((tmp_path / "bench.json").read_text())
    assert document.keys() == {"machine", "runs", "rows"}
    assert [row["case"] for row in rows] == ["--help", "--version"]
    for row in rows:
        assert row.keys() == {"work", "case", "figures", "goals", "note"}
        assert 0 < row["figures"]["fastest"] == row["figures"]["seconds"] < 30


def test_nothing_stays_in_the_scratch_folder(tmp_path: Path) -> None:
    bench(tmp_path, "start", "--runs", "1")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_work_that_fails_is_shown_in_its_row_and_in_the_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(setting: Setting) -> Iterator[Row]:
        yield Row("first", {"seconds": 1.0, "fastest": 1.0, "slowest": 1.0})
        measure.module("bundler", "build", setting.folder / "missing.toml")

    monkeypatch.setitem(WORKS, "start", Work(broken))
    done, rows = bench(tmp_path, "start")
    assert done.exit_code == 1
    assert [row["case"] for row in rows] == ["first", ""]
    assert "missing.toml: there is no such file" in rows[1]["note"].lower()
    assert rows[1]["note"] in done.stdout


@pytest.mark.parametrize("count", [12, 137])
def test_a_generated_graph_has_exactly_so_many_nodes_of_ops_that_we_convert(tmp_path: Path, count: int) -> None:
    model = read_model(models.write_nodes(tmp_path / "model", count))
    assert len(model.graph.nodes) == count
    assert run(model, Compat.NONE).graph.nodes


def test_generated_weights_have_their_size_and_are_all_different(tmp_path: Path) -> None:
    model = read_model(models.write_weights(tmp_path / "model", 4))
    assert model.weight_bytes == 4 * models.WEIGHT_BYTES
    assert sorted(weight.stored.name for weight in model.graph.weights.values()) == ["float16", *["float32"] * 3]
    assert share_weights(model).graph.weights.keys() == model.graph.weights.keys()


@pytest.mark.parametrize(
    "generate", [lambda folder: models.write_nodes(folder, 50), lambda folder: models.write_weights(folder, 1)]
)
def test_tensorflow_loads_what_is_built_of_a_generated_model(tmp_path: Path, generate: Callable[[Path], Path]) -> None:
    manifest = manifests.write(tmp_path / "made.toml", {"made": generate(tmp_path / "model")})
    measure.module("bundler", "build", manifest, "--output", tmp_path / "bundle")
    assert (tmp_path / "bundle" / "saved_model.pb").stat().st_size > 0


def test_memory_is_that_of_the_measured_process_whatever_we_hold_ourselves() -> None:
    ballast = b"\1" * (300 * MB)
    usage = measure.module("bundler", "--help")
    assert len(ballast) == 300 * MB
    assert 5 * MB < usage.own_bytes <= usage.largest_bytes < 100 * MB


def test_the_largest_process_counts_children_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'b = b\"x\" * 200_000_000'], check=True)"
    (tmp_path / "parent_of_a_large_one.py").write_text(parent)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    usage = measure.module("parent_of_a_large_one")
    assert usage.own_bytes < 100 * MB < 200 * MB < usage.largest_bytes


def test_a_measured_process_that_fails_is_an_error_with_its_own_words() -> None:
    with pytest.raises(Failed, match="nowhere"):
        measure.module("bundler", "inspect", "nowhere")


@pytest.mark.parametrize(
    ("goal", "met"),
    [(Goal("seconds", 2), True), (Goal("seconds", 1), False), (Goal("speedup", 1.5, at_least=True), True)],
)
def test_a_goal_is_met_or_missed_in_the_table(goal: Goal, met: bool) -> None:
    figures = {"seconds": 1.5, "fastest": 1.5, "slowest": 1.5, "speedup": 1.6}
    shown = table.show({"posenet": [Row("no check", figures, (goal,))]})
    assert goal.met(figures) is met
    assert (f"{goal.limit:g}: met" in shown, f"{goal.limit:g}: MISSED" in shown) == (met, not met)


PREDECESSOR = """
import pathlib

def graph_model_to_saved_model(model, output, compat_mode):
    if pathlib.Path(model).stem in {refused}:
        raise ValueError("missing attr")
    pathlib.Path(output).mkdir(parents=True)
    pathlib.Path(output, "saved_model.pb").touch()
"""


@pytest.mark.parametrize("refused", [[], ["dog"], ["cat", "dog"]], ids=str)
def test_the_predecessor_is_compared_where_it_converts_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: list[str]
) -> None:
    package = tmp_path / "tfjs_graph_converter"
    package.mkdir()
    (package / "common.py").write_text("class CompatMode: TFLITE = 2")
    (package / "api.py").write_text(PREDECESSOR.format(refused=refused))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    setting = Setting(1, tmp_path, tmp_path / "picture.svg", predecessor=sys.executable)
    models = {name: tmp_path / f"{name}.json" for name in ("cat", "dog")}
    (row,) = predecessor(models, setting, than=Row("ours", {"seconds": 1.0}), times=5)
    assert (row.figures["models"], row.figures["converted"]) == (2, 2 - len(refused))
    assert ("times_ours" in row.figures) is (len(refused) < 2)


def test_a_process_can_be_kept_to_one_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "how_many.py").write_text("import os, sys; sys.exit(len(os.sched_getaffinity(0)) != 1)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    allowed = os.sched_getaffinity(0)
    measure.module("how_many", processors=1)
    assert os.sched_getaffinity(0) == allowed


def test_the_picture_has_a_dot_for_each_point_inside_its_frame() -> None:
    dots = [(1.0, 0.5), (10.0, 1.0), (40.0, 2.0)]
    lines = [Line("a < b", dots, chart.straight(dots, 0.04, 0.5)), Line("b", dots[:2], dots[:2])]
    drawn = ElementTree.fromstring(chart.draw("seconds", [Panel(name, lines) for name in ("models", "nodes")]))
    circles = list(drawn.iter("{http://www.w3.org/2000/svg}circle"))
    width, height = map(float, drawn.attrib["viewBox"].split()[2:])
    assert len(circles) == 10
    assert all(0 < float(dot.attrib["cx"]) < width and 0 < float(dot.attrib["cy"]) < height for dot in circles)


def test_a_process_that_reaches_its_limit_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "endless.py").write_text("import time; time.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    started = time.perf_counter()
    with pytest.raises(TooLong, match=r"stopped after 0\.5 s"):
        measure.module("endless", limit=0.5)
    assert time.perf_counter() - started < 30


def test_a_process_that_keeps_its_limit_is_measured_as_ever() -> None:
    assert measure.module("bundler", "--version", limit=60).seconds < 60


def test_a_measured_process_gets_further_environment_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "has_it.py").write_text("import os, sys; sys.exit(os.environ.get('FURTHER') != 'yes')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    measure.module("has_it", environment={"FURTHER": "yes"})
    with pytest.raises(Failed):
        measure.module("has_it")


FIGURES = {"load_cpu_seconds", "first_cpu_seconds", "milliseconds", "loaded_mb", "called_mb"}


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(1, tmp_path, tmp_path / "picture.svg")


def generated(tmp_path: Path) -> dict[str, object]:
    return {name: models.write_nodes(tmp_path / name, 40, seed=seed) for seed, name in enumerate(["one", "two"])}


def test_a_bundle_is_loaded_and_called(tmp_path: Path, setting: Setting) -> None:
    row = loaded("two models", builds.bundle(tmp_path / "bundle", generated(tmp_path)), "c", setting)
    assert row.figures.keys() == FIGURES
    assert all(row.figures.values())


def test_a_load_that_takes_too_long_has_its_limit_for_a_figure(
    tmp_path: Path, setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.loaded._LIMIT", 0.1)
    row = loaded("two models", builds.bundle(tmp_path / "bundle", generated(tmp_path)), "c", setting)
    assert (row.figures, row.note) == ({"seconds_at_least": 0.1}, "stopped after 0.1 s")


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["constants", "variables"])
def test_tensorflow_saves_the_same_models_as_one(tmp_path: Path, setting: Setting, weights: str) -> None:
    ours, *_, theirs = use.bundles(generated(tmp_path), weights, setting)
    assert (ours[0], theirs[0]) == ("object graph", "TensorFlow's")
    rows = [loaded("", theirs[1], loader, setting) for loader in LOADERS]
    assert [row.figures.keys() for row in rows] == [FIGURES, FIGURES]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "environment"), ONEDNN.items(), ids=str)
def test_tensorflow_has_onednn_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, environment: Mapping[str, str]
) -> None:
    from_tensorflow = "from tensorflow.python.util._pywrap_util_port import IsMklEnabled"
    (tmp_path / "has_it.py").write_text(
        f"import sys; {from_tensorflow}; sys.exit(IsMklEnabled() != {name == 'oneDNN'})"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    measure.module("has_it", environment=environment)


@pytest.mark.slow
def test_two_bundles_are_loaded_in_turns(tmp_path: Path, setting: Setting) -> None:
    folder = builds.bundle(tmp_path / "bundle", generated(tmp_path))
    row = opened([folder, folder], setting)
    assert row.figures.keys() == FIGURES - {"milliseconds"}
    assert all(times > 0 for times in row.figures.values())


@pytest.mark.slow
def test_two_bundles_are_called_in_turns(tmp_path: Path, setting: Setting) -> None:
    sources = generated(tmp_path)
    folders = [builds.bundle(tmp_path / choice, sources, object_graph=choice) for choice in ("never", "auto")]
    row = compared(folders, setting)
    assert row.figures["equal_answers"] == len(sources)
    assert row.figures["largest_difference"] == 0
    assert 0 < row.figures["times_plain"] <= row.figures["worst_times_plain"]
    assert row.note in ("the worst is one", "the worst is two")


def test_the_picture_of_use_leaves_out_what_took_too_long() -> None:
    counts, layouts = (1, 5), ("object graph", "plain", "TensorFlow's")
    cases = [use.Case(*each) for each in product(counts, ("constants", "variables"), layouts, LOADERS)]
    rows = {case: Row(str(case), {"load_cpu_seconds": 0.2 * case.models}) for case in cases}
    rows[cases[-1]] = Row(str(cases[-1]), {"seconds_at_least": 240.0})
    drawn = ElementTree.fromstring(use.drawn(rows))
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}circle"))) == len(cases) - 1
