"""A written bundle, called as a server calls it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler.bundle import Bundle
from bundler.comparison.subject import refuse_folder
from bundler.errors import BundlerError, SourceError
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model, Signature, TensorSpec
from bundler.ir.nodes import Tensor, new_node
from bundler.outputs import savedmodel
from bundler.outputs.savedmodel import MetaGraph
from bundler.runtimes.tensorflow import Runtime
from bundler.stored.metagraphs import read_interfaces
from bundler.verbs.inspect import inspect
from tests.support.places import ROOT
from tests.support.saved import read


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "tiny"
    bundler.build(ROOT / "manifests" / "tiny.toml", output=folder)
    return folder


def test_an_endpoint_takes_and_gives_values_by_the_names_of_its_signature(tiny: Path) -> None:
    bundle = Bundle.open(tiny)
    with Runtime() as runtime:
        outputs = bundle.endpoint("serving_default").call(runtime, {"pixels": np.zeros((2, 64), np.float32)})
    assert {name: value.shape for name, value in outputs.items()} == {"probabilities": (2, 10)}


def test_a_key_that_is_not_there_is_an_error_with_the_nearest_key(tiny: Path) -> None:
    with pytest.raises(BundlerError) as error:
        Bundle.open(tiny).endpoint("serving_defualt")
    (fault,) = error.value.faults
    assert fault.hint == "did you mean 'serving_default'?"


@pytest.mark.parametrize(
    ("name", "what", "hint"),
    [
        ("gone", "there is no such file or folder", ""),
        ("empty", "there is no saved_model.pb in this folder", ""),
        ("versions", "there is no saved_model.pb in this folder", "its newest version is {}/versions/10"),
        ("model", "this is a TensorFlow.js model, no SavedModel", "make one of it with `bundler convert`"),
        ("model/model.json", "this is a TensorFlow.js model, no SavedModel", "make one of it with `bundler convert`"),
        ("pets.toml", "this is a manifest, not the SavedModel that is built from it", "its bundle is {}/dist/pets"),
        (
            "cats.toml",
            "this is a manifest, not the SavedModel that is built from it",
            "`bundler build {}/cats.toml` makes it, in {}/dist/cats",
        ),
        (
            "torn.toml",
            "this is a manifest, not the SavedModel that is built from it",
            "`bundler check` shows what is wrong with it",
        ),
        ("notes.txt", "this is no SavedModel", ""),
    ],
)
def test_what_is_no_saved_model_is_an_error_that_says_what_it_is(
    name: str, what: str, hint: str, tmp_path: Path
) -> None:
    for folder in ("empty", "model", "versions/9", "versions/10", "versions/backup", "dist/pets"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("versions/9", "versions/10", "versions/backup", "dist/pets"):
        (tmp_path / file / "saved_model.pb").touch()
    for pet in ("pets", "cats"):
        text = f'[bundle]\nname = "{pet}"\noutput = "dist/{pet}"\n[[model]]\nname = "m"\nsource = "m"\n'
        (tmp_path / f"{pet}.toml").write_text(text)
    for file in ("model/model.json", "torn.toml", "notes.txt"):
        (tmp_path / file).write_text("{}")
    with pytest.raises(SourceError) as error:
        Bundle.open(tmp_path / name)
    (fault,) = error.value.faults
    assert (fault.where, fault.what, fault.hint) == (str(tmp_path / name), what, hint.replace("{}", str(tmp_path)))


def test_the_file_of_a_saved_model_stands_for_its_folder(tiny: Path) -> None:
    assert Bundle.open(tiny / "saved_model.pb") == Bundle.open(tiny)


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (os.mkfifo, "a pipe"),
        (Path.mkdir, "a folder"),
        (lambda path: path.symlink_to("/dev/zero"), "a device"),
    ],
)
@pytest.mark.parametrize("of", [Bundle.open, inspect, refuse_folder])
def test_a_pipe_in_place_of_the_file_is_an_error_and_is_not_opened(
    of: Callable[[Path], object], make: Callable[[Path], object], found: str, tmp_path: Path
) -> None:
    make(tmp_path / "saved_model.pb")
    with pytest.raises(SourceError, match=rf"saved_model\.pb: is no regular file \(found {found}\)"):
        of(tmp_path)


@pytest.mark.parametrize("cut", [1, 9, 100, 5000])
def test_a_file_that_is_cut_short_is_an_error(cut: int, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes((tiny / "saved_model.pb").read_bytes()[:cut])
    with pytest.raises(SourceError, match=r"saved_model\.pb: this is not a SavedModel"):
        Bundle.open(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"\x12",
        b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x13\x14",
        b"\x12\x7fabc",
        b"\x12\x03\x2a\x01\xff",
    ],
)
def test_bytes_that_are_no_message_are_an_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(content)
    with pytest.raises(SourceError, match=r"saved_model\.pb: this is not a SavedModel"):
        Bundle.open(tmp_path)


def test_signatures_are_read_without_the_graph(tiny: Path) -> None:
    whole, found = read(tiny).meta_graphs, read_interfaces(tiny)
    assert [dict(each.signature_def) for each in found] == [dict(each.signature_def) for each in whole]
    assert [each.meta_info_def for each in found] == [each.meta_info_def for each in whole]
    assert [len(each.graph_def.node) for each in found] == [0]


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel with a MetaGraph for each tag: the same key in both, another one in the second."""
    spec = TensorSpec(Tensor("x"), DType.float32, (None,))
    echo = Signature({"x": spec}, {"same": spec})
    graph = Graph((new_node("Placeholder", "x", dtype=DType.float32),))
    folder = tmp_path_factory.mktemp("tagged")
    metagraphs = [
        MetaGraph(("cpu",), Model(graph, {"serving_default": echo})),
        MetaGraph(("gpu", "big"), Model(graph, {"serving_default": echo, "other": echo})),
    ]
    savedmodel.write(metagraphs, folder)
    return folder


def test_a_key_of_several_metagraphs_needs_their_tags(tagged: Path) -> None:
    bundle = Bundle.open(tagged)
    assert bundle.endpoint("other").tags == ("gpu", "big")
    assert bundle.endpoint(tags=["cpu"]).tags == ("cpu",)
    assert bundle.endpoint("serving_default", ["big", "gpu"]).tags == ("gpu", "big")
    with pytest.raises(
        BundlerError, match=r"several MetaGraphs have a signature 'serving_default' \(found cpu, gpu/big\)"
    ):
        bundle.endpoint()
    with pytest.raises(BundlerError, match=r"there is no signature 'other' \(found serving_default\)"):
        bundle.endpoint("other", ["cpu"])


def test_without_a_key_the_default_or_the_only_one_is_meant(tiny: Path) -> None:
    bundle = Bundle.open(tiny)
    assert bundle.endpoint().key == "serving_default"
    assert Bundle(tiny, bundle.endpoints[:1]).endpoint().key == "edge_gradients"
    with pytest.raises(BundlerError, match=r"the signature must be named \(found edge_gradients, edge_strength\)"):
        Bundle(tiny, bundle.endpoints[:2]).endpoint()


def test_an_output_that_is_an_input_has_its_value(tagged: Path, runtime: Runtime) -> None:
    given = np.arange(3, dtype=np.float32)
    (found,) = Bundle.open(tagged).endpoint("other").call(runtime, {"x": given}).values()
    np.testing.assert_array_equal(found, given)
