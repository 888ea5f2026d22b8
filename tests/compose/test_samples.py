"""The sample of a composed signature: a build runs it, and each step alone; a wrong wire in the graph is found."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import bundler
from bundler import manifest
from bundler.bundle.files import write_arrays
from bundler.cli import main
from bundler.errors import BundlerError, LockError, ManifestError, Place, VerificationError
from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from bundler.ir.protos import SavedModel
from bundler.outputs.savedmodel import FILE
from bundler.report import depfile
from bundler.verbs import written
from tests.compose.pictures import gradient, png
from tests.compose.small import FLOAT, write
from tests.compose.test_compose import EMOTIONS, FACES, OPEN
from tests.support.models import placeholder, write_model


def with_sample(signature: str, sample: str = '"face.png"') -> str:
    """A signature with a sample."""
    return re.sub(r"^(inputs = .*)$", rf"\1\nsample = {sample}", signature, count=1, flags=re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a picture of 90 by 70 pixels."""
    (tmp_path / "face.png").write_bytes(png(gradient(90, 70)))
    return tmp_path


def test_a_build_runs_the_signatures_that_have_a_sample(folder: Path) -> None:
    path = write(folder, with_sample(EMOTIONS) + with_sample(FACES) + OPEN)
    report = bundler.build(path, output=folder / "out")
    assert report.checks.names == ("load", "compose")
    assert re.fullmatch(r"20 steps of 2 signatures in \d+\.\d\d s", report.checks["compose"].detail)
    shown = CliRunner().invoke(main, ["build", str(path), "-o", str(folder / "new"), "-v"]).stdout
    assert re.search(r"^check ok  compose: 20 steps of 2 signatures in ", shown, re.MULTILINE)
    assert bundler.build(path, output=folder / "unchecked", check=False).checks == ()


def test_a_signature_that_calls_another_composed_one_has_a_sample_too(folder: Path) -> None:
    np.save(folder / "x.npy", np.random.default_rng(0).normal(size=(2, 64, 64, 1)).astype(np.float32))
    twice = OPEN.replace('key = "twice"\n', 'key = "twice"\nsample = "x.npy"\n')
    assert "compose" in bundler.build(write(folder, twice), output=folder / "out").checks


@pytest.mark.parametrize("weights", ["constants", "variables"])
def test_samples_run_however_weights_are_stored(weights: str, folder: Path) -> None:
    path = write(folder, with_sample(FACES), f'weights = "{weights}"\n')
    assert "compose" in bundler.build(path, output=folder / "out").checks


# Wires ---------------------------------------------------------------------------------------------

TWICE = OPEN.replace('key = "twice"\n', 'key = "twice"\nsample = "x.npy"\n')
PICKED = """
[[signature]]
key = "picked"
inputs = { x = "float32[?]", first = "int32[?]", then = "int32[?]" }
sample = "picked.npz"
outputs = ["y"]
steps = [
  { op = "gather", of = ["x", "first"], as = "a" },
  { op = "gather", of = ["x", "then"], as = "b" },
  { op = "add", of = ["a", "b"], as = "y" },
]
"""
WIRES = {
    "an op's tensors are exchanged": (
        with_sample(FACES),
        "faces/6.concat/ConcatV2",
        {0: "faces/2.face_detect/detector/boxes_coarse", 1: "faces/2.face_detect/detector/boxes_fine"},
        r"signature 'faces': step 7: concat: result 1 is not what the step gives alone \(found \S+ at \[0, \d+, \d+\],",
    ),
    "a called model takes another tensor": (
        TWICE,
        "twice/2.open/open/x",
        {0: "twice/x"},
        r"signature 'twice': step 3: open: 'two' is not what the step gives alone \(found \S+ at \[\d, \d\],",
    ),
    "an output is another tensor": (
        with_sample(FACES),
        "faces/classes",
        {0: "faces/8.non_max_suppression/NonMaxSuppressionV4"},
        r"signature 'faces': outputs, entry 4: 'classes' is not what its step gives \(found \S+ at \[\d\],",
    ),
    "a called model reads its own input": (
        with_sample(FACES),
        "faces/2.face_detect/detector/scores_fine",
        {1: "detector/mean"},
        r"signature 'faces': sample: TensorFlow does not run the signature with its sample \(found TensorFlow: You ",
    ),
    "a tensor of another size": (
        PICKED.replace('of = ["a", "b"]', 'of = ["a", "a"]').replace('"y"]', '"y", "b"]'),
        "picked/2.add/AddV2",
        {0: "picked/x", 1: "picked/x"},
        r"signature 'picked': step 3: add: 'y' is not what the step gives alone: it has shape \[4\], not \[3\]",
    ),
    "tensors that do not fit in place of those that do": (
        PICKED,
        "picked/2.add/AddV2",
        {1: "picked/0.gather/GatherV2"},
        r"signature 'picked': step 3: add: TensorFlow does not run the step alone \(found TensorFlow: Incompatible",
    ),
}


@pytest.mark.parametrize("wire", WIRES)
def test_a_wrong_wire_in_the_graph_is_found(wire: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signatures, name, inputs, said = WIRES[wire]
    np.save(folder / "x.npy", np.random.default_rng(0).normal(size=(2, 64, 64, 1)).astype(np.float32))
    np.savez(folder / "picked.npz", x=np.arange(4.0), first=np.arange(3), then=np.arange(2))
    path = write(folder, signatures)
    rewire(monkeypatch, name, inputs)
    with pytest.raises(VerificationError, match=said) as caught:
        bundler.build(path, output=folder / "out")
    assert len(caught.value.faults) == 1 and not (folder / "out").exists()
    bundler.build(path, output=folder / "out", check=False)


def rewire(monkeypatch: pytest.MonkeyPatch, name: str, inputs: Mapping[int, str]) -> None:
    """From now on, a node of the graphs that builds write reads other tensors."""
    write_right = written.savedmodel.write

    def write_wrong(metagraphs: Any, folder: Path, **more: Any) -> None:
        write_right(metagraphs, folder, **more)
        saved = SavedModel.FromString((folder / FILE).read_bytes())
        (node,) = [node for node in saved.meta_graphs[0].graph_def.node if node.name == name]
        for at, tensor in inputs.items():
            assert node.input[at] != tensor
            node.input[at] = tensor
        (folder / FILE).write_bytes(saved.SerializeToString())

    monkeypatch.setattr(written.savedmodel, "write", write_wrong)


RANDOM = """
[bundle]
name = "random"
[[model]]
name = "random"
source = "random"
[[signature]]
key = "noise"
inputs = { x = "float32[2]" }
sample = "x.json"
outputs = ["z"]
steps = [{ call = "serving_default" }, { op = "neg", as = "z" }]
"""


def test_a_model_that_draws_at_random_is_not_taken_for_a_wrong_wire(tmp_path: Path) -> None:
    shape = np.array([2], np.int32)
    drawn = new_node("RandomUniform", "drawn", ["shape"], T=DType.int32, dtype=FLOAT, seed=0, seed2=0)
    write_model(
        tmp_path / "random",
        [placeholder("x", 2), drawn, new_node("AddV2", "y", ["x", "drawn"], T=FLOAT)],
        {"shape": shape},
    )
    (tmp_path / "random.toml").write_text(RANDOM)
    (tmp_path / "x.json").write_text("[1, 2]")
    assert "compose" in bundler.build(tmp_path / "random.toml", output=tmp_path / "out").checks


# Files ---------------------------------------------------------------------------------------------

TWO = """
[[signature]]
key = "bright"
inputs = { image = "string", light = "float32[1]" }
outputs = ["probabilities"]
steps = [
  { op = "decode_image", of = "image" },
  { op = "resize_bilinear", size = [64, 64] },
  { op = "grayscale", weights = [1, 1, 1], as = "grey" },
  { op = "mul", of = ["grey", "light"] },
  { call = "face_emotion" },
]
"""


@pytest.mark.parametrize("sample", ['"both.npz"', '{ image = "face.png", light = "light.json" }'])
def test_several_inputs_have_an_archive_or_a_table_of_files(sample: str, folder: Path) -> None:
    light = np.array([0.5], np.float32)
    write_arrays(folder / "both.npz", {"inputs/image": np.array(png(gradient()), object), "light": light})
    (folder / "light.json").write_text("[0.5]")
    assert "compose" in bundler.build(write(folder, with_sample(TWO, sample)), output=folder / "out").checks


UNREAD = "the sample cannot be read (found {})"
READ = {
    "no such file": (EMOTIONS, '"gone.png"', "sample", UNREAD.format("gone.png: No such file or directory"), ""),
    "a folder": (EMOTIONS, '"emotion"', "sample", UNREAD.format("emotion: a folder, no regular file"), ""),
    "a pipe": (EMOTIONS, '"pipe"', "sample", UNREAD.format("pipe: a pipe, no regular file"), ""),
    "a number": (EMOTIONS, "7", "sample", "has the wrong type (found 7, expected a string, or a table)", ""),
    "an empty name": (EMOTIONS, '""', "sample", "is empty", ""),
    "one picture for two inputs": (
        TWO,
        '"face.png"',
        "sample",
        "the signature has several inputs: its sample is an .npz file, or a table",
        "write a table: sample = { image = …, light = … }",
    ),
    "an input that is not there": (
        TWO,
        '{ image = "face.png", lihgt = "face.png" }',
        "sample.lihgt",
        "the signature has no such input",
        "did you mean 'light'?",
    ),
    "an input without a file": (
        TWO,
        '{ image = "face.png" }',
        "sample",
        "an input has no file in the sample (found image, expected light)",
        "",
    ),
    "a file of a table": (
        TWO,
        '{ image = "face.png", light = "light.npy" }',
        "sample.light",
        UNREAD.format("light.npy: No such file or directory"),
        "",
    ),
}


@pytest.mark.parametrize("case", READ)
def test_what_is_wrong_with_a_sample_is_a_fault_of_the_manifest(case: str, folder: Path) -> None:
    signature, sample, place, words, hint = READ[case]
    os.mkfifo(folder / "pipe")
    with pytest.raises(ManifestError) as caught:
        bundler.check(write(folder, with_sample(signature, sample)))
    (fault,) = caught.value.faults
    assert str(Place(fault.place.keys)) == f"signature[0].{place}"
    assert (str(fault).partition(f"{fault.place}: ")[2], fault.hint) == (words, hint)


REFUSED = "TensorFlow does not run the signature with its sample"
RUN = {
    "text in place of a picture": (EMOTIONS, '"faces.toml"', VerificationError, REFUSED),
    "a picture that is cut short": (EMOTIONS, '"short.png"', VerificationError, REFUSED),
    "a size that the model refuses": (OPEN, '"small.npy"', VerificationError, REFUSED),
    "numbers in place of text": (EMOTIONS, '"x.npy"', ManifestError, "this is no string"),
    "another rank": (OPEN, '"x.npy"', ManifestError, "the shape does not fit (found [3], expected [?, ?, ?, 1])"),
    "a damaged archive": (OPEN, '"short.npz"', ManifestError, "this is no such file, or it is damaged"),
    "text in place of numbers": (OPEN, '"faces.toml"', ManifestError, "this is no image that TensorFlow decodes"),
}


@pytest.mark.parametrize("case", RUN)
def test_a_sample_that_does_not_fit_ends_the_build_at_its_line(case: str, folder: Path) -> None:
    signature, sample, kind, said = RUN[case]
    (folder / "short.png").write_bytes((folder / "face.png").read_bytes()[:400])
    (folder / "short.npz").write_bytes(b"PK")
    np.save(folder / "x.npy", np.zeros(3))
    np.save(folder / "small.npy", np.zeros((1, 9, 9, 1)))
    path = write(folder, with_sample(signature, sample))
    with pytest.raises(kind, match=re.escape(said)) as caught:
        bundler.build(path, output=folder / "out")
    (fault,) = caught.value.faults
    assert path.read_text().splitlines()[fault.place.line - 1].startswith("sample = ")
    assert not (folder / "out").exists()


def test_another_file_makes_another_bundle(folder: Path) -> None:
    path = write(folder, with_sample(EMOTIONS))
    assert not bundler.build(path, output=folder / "out").up_to_date
    assert bundler.build(path, output=folder / "out").up_to_date
    (folder / "face.png").write_bytes(png(gradient(64, 64)))
    assert not bundler.build(path, output=folder / "out").up_to_date


def test_a_manifest_without_a_sample_has_the_digest_that_it_had_before_there_were_samples(tmp_path: Path) -> None:
    read = manifest.read(write(tmp_path, EMOTIONS))
    assert read.digest == "b836c69d8003e0c146785cfe09798158b4527e9bb217915c39a7d6dc3d9ddeee"


def test_a_lock_has_the_digest_of_the_file(folder: Path) -> None:
    path = write(folder, with_sample(EMOTIONS))
    bundler.lock(path)
    bundler.build(path, output=folder / "out", locked=True)
    (folder / "face.png").write_bytes(png(gradient(64, 64)))
    with pytest.raises(LockError, match="signature 'emotions'.*the lock has another value"):
        bundler.build(path, output=folder / "out", locked=True)


def test_no_output_replaces_a_sample(folder: Path) -> None:
    (folder / "samples").mkdir()
    (folder / "face.png").rename(folder / "samples" / "face.png")
    path = write(folder, with_sample(EMOTIONS, '"samples/face.png"'))
    with pytest.raises(BundlerError, match="would replace one of its own inputs"):
        bundler.build(path, output=folder / "samples", force=True)
    assert (folder / "samples" / "face.png").exists()


def test_make_builds_again_if_a_sample_or_labels_change(folder: Path) -> None:
    (folder / "labels.txt").write_text("\n".join("abcdefg"))
    labelled = EMOTIONS.replace('["a", "b", "c", "d", "e", "f", "g"]', '"labels.txt"')
    read = manifest.read(write(folder, with_sample(labelled)))
    needed = depfile.rule(read, folder / "out", {"emotion": [], "detector": []})
    assert f"  {folder}/face.png" in needed and f"  {folder}/labels.txt" in needed


def test_verify_and_the_warm_up_use_the_sample(folder: Path, tensorflowjs_modules: Path) -> None:
    path = write(folder, with_sample(EMOTIONS) + "[serving]\nwarmup = true\n")
    bundler.build(path, output=folder / "out")
    assert (folder / "face.png").read_bytes() in (folder / "out/assets.extra/tf_serving_warmup_requests").read_bytes()
    found = bundler.verify(path, output=folder / "out", tfjs=tensorflowjs_modules)
    emotions = found.signatures["emotions"]
    assert (emotions.inputs, emotions.verdict) == ("the sample face.png", "ok")
