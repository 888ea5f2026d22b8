"""`bundler run`: what a person writes and sees."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import bundler
from bundler.bundle.described import document, first_values, range_of
from bundler.cli import main
from tests.support.places import MANIFESTS


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "tiny"
    bundler.build(MANIFESTS / "tiny.toml", output=folder, check=False)
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["run", *map(str, words)])


def test_outputs_are_shown_with_type_range_and_first_values(tiny: Path) -> None:
    done = run(tiny, "moments", "batch=[[1,2,3,4,5,6,7,8],[3,4,5,6,7,8,9,10]]")
    assert (done.exit_code, done.stderr) == (0, "")
    assert (
        done.stdout
        == """\
moments
  out  is_outlier  bool[2, 8]                      [false, false, false, false, …]
  out  mean        float32[8]     2 to 9           [2, 3, 4, 5, …]
  out  normalised  float32[2, 8]  -1.199 to 1.799  [-0.8998, -0.942, -0.9855, -1.028, …]
  out  outliers    int32[2]       0 to 0           [0, 0]
  out  variance    float32[8]     1 to 1           [1, 1, 1, 1, …]
"""
    )


def test_json_has_all_values(tiny: Path) -> None:
    done = run(tiny, "serving_default", json.dumps([0] * 64), "--json")
    document = json.loads(done.stdout)
    assert (document["signature"], document["tags"]) == ("serving_default", ["serve"])
    output = document["outputs"]["probabilities"]
    assert (output["dtype"], output["shape"], len(output["values"][0])) == ("float32", [1, 10], 10)
    assert sum(output["values"][0]) == pytest.approx(1)


def test_outputs_are_written_and_an_existing_file_is_kept(tiny: Path, tmp_path: Path) -> None:
    words = (tiny, "serving_default", f"pixels={[0] * 64}", "-o", tmp_path / "out.npz")
    assert run(*words).exit_code == 0
    before = (tmp_path / "out.npz").read_bytes()
    with np.load(tmp_path / "out.npz") as arrays:
        assert {name: arrays[name].shape for name in arrays} == {"probabilities": (1, 10)}
    refused = run(*words)
    assert (refused.exit_code, refused.stderr) == (
        1,
        f"error: {tmp_path}/out.npz: the file exists\nhint: replace it with --force\n",
    )
    assert run(*words, "--force").exit_code == 0
    assert (tmp_path / "out.npz").read_bytes() == before


NO_SUCH = "{}: there is no signature 'edge_strenght' (found {keys})\nhint: did you mean 'edge_strength'?"
NO_VALUE = (
    "input 'pixels': this is no value"
    " (found 'a', expected a number, JSON, or a file: .npy, .npz, .json, .jpg, .png, .gif or .bmp)"
)
WRONG = [
    (["edge_strenght", "1"], NO_SUCH),
    (["edge_strenght"], NO_SUCH),
    (["edge", "image=1"], "{}: there is no signature 'edge' (found {keys})"),
    ([], "input 'pixels' has no value (expected float32[?, 64])"),
    (["moments"], "input 'batch' has no value (expected float32[?, 8])"),
    (["pixel=1"], "there is no input 'pixel' (expected pixels: float32[?, 64])\nhint: did you mean 'pixels'?"),
    (["pixels=1", "pixels=2"], "input 'pixels' has two values"),
    (["moments", "1", "batch=2"], "this value has no name (found '1', expected NAME=VALUE)"),
    (["pixels=a"], NO_VALUE),
    (["gone.npy"], "input 'pixels': gone.npy: there is no such file"),
    (["--tags", "gpu"], "{}: there is no signature 'serving_default' (found no signature)"),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_what_is_wrong_is_said_in_a_line(words: list[str], said: str, tiny: Path) -> None:
    done = run(tiny, *words)
    said = said.format(tiny, keys="edge_gradients, edge_strength, moments, serving_default")
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr.removeprefix("error: ")


DESCRIBED = [
    (np.float32(1.23456), "1.235 to 1.235", "1.235", 1.2345600128173828),
    (
        np.array([1, np.nan, np.inf, -np.inf]),
        "1 to 1, 1 NaN, 2 infinite",
        "[1, nan, inf, -inf]",
        [1.0, "NaN", "Infinity", "-Infinity"],
    ),
    (np.array([np.nan]), "1 NaN", "[nan]", ["NaN"]),
    (np.array([1, -5, 3, 4, 5], np.int64), "-5 to 5", "[1, -5, 3, 4, …]", [1, -5, 3, 4, 5]),
    (np.array([[True], [False]]), "", "[true, false]", [[True], [False]]),
    (np.array([1 + 2j], np.complex64), "", "[1+2j]", ["1+2j"]),
    (
        np.array([b"a\n", b"\xff", b"x" * 30], object),
        "",
        "['a\\n', '\\\\xff', 'xxxxxxxxxxxxxxxxxxxxxxxx'…]",
        ["a\n", {"b64": "/w=="}, "x" * 30],
    ),
    (np.array(b"one", object), "", "'one'", "one"),
    (np.zeros((0, 3), np.float32), "", "[]", []),
    (np.array([1.5], np.float16), "1.5 to 1.5", "[1.5]", [1.5]),
]


@pytest.mark.parametrize(("array", "span", "first", "values"), DESCRIBED)
def test_an_array_in_short_and_as_json(array: np.ndarray, span: str, first: str, values: object) -> None:
    array = np.asarray(array)
    assert (range_of(array), first_values(array)) == (span, first)
    assert document(array)["values"] == values
    assert json.loads(json.dumps(document(array), allow_nan=False))["shape"] == list(array.shape)
