"""Forms of graphs that TensorFlow.js runs and TensorFlow refuses: a bundle of them all gives TensorFlow.js' numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime
from tests.support.answers import NO_ONEDNN, ONEDNN, Tensors, answers
from tests.support.forms import FORMS
from tests.support.models import placeholder, write_model

WAYS = [("session", ONEDNN), ("session", NO_ONEDNN), ("saved_model.load", ONEDNN), ("saved_model.load", NO_ONEDNN)]
IDS = [f"{road}-onednn={settings['TF_ENABLE_ONEDNN_OPTS']}" for road, settings in WAYS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models in a folder each, and a bundle of all."""
    made = tmp_path_factory.mktemp("forms")
    entries = []
    for at, form in enumerate(FORMS.values()):
        nodes = [*form.placeholders, *form.nodes]
        write_model(made / f"m{at}", nodes, form.weights, functions=form.functions, **form.document)
        entries.append(
            f'[[model]]\nname = "m{at}"\nsource = "m{at}"\n[[model.signature]]\nkey = "m{at}"\noutputs = ["y"]\n'
        )
    (made / "bundle.toml").write_text('[bundle]\nname = "forms"\n' + "".join(entries))
    bundler.build(made / "bundle.toml", output=made / "bundle")
    return made


@pytest.fixture(scope="module")
def right(folder: Path, javascript: TensorFlowJs) -> Mapping[str, np.ndarray]:
    """What TensorFlow.js gives."""
    forms = zip(FORMS.items(), range(len(FORMS)))
    return {
        name: javascript.run(folder / f"m{at}" / "model.json", form.feeds, ["y"])["y"] for (name, form), at in forms
    }


@pytest.fixture(scope="module", params=WAYS, ids=IDS)
def found(request: pytest.FixtureRequest, folder: Path) -> Mapping[str, np.ndarray]:
    """What the bundle gives, by one road and with one setting."""
    road, settings = request.param
    bundle = folder / "bundle"
    if road == "saved_model.load":
        given = answers(bundle, {f"m{at}": _fed(name) for at, name in enumerate(FORMS)}, settings)
        return {name: given[f"m{at}"]["y"] for at, name in enumerate(FORMS)}
    feeds = {f"m{at}/{key}": value for at, name in enumerate(FORMS) for key, value in _fed(name).items()}
    with Runtime(environment=settings) as runtime:
        values = runtime.run(bundle, ["serve"], feeds, [f"m{at}/y" for at in range(len(FORMS))])
    return dict(zip(FORMS, values))


def _fed(name: str) -> Tensors:
    """The inputs of a form in the dtypes of its Placeholders."""
    form = FORMS[name]
    return {
        key: value.astype(form.dtypes[key].numpy) if key in form.dtypes else value for key, value in form.feeds.items()
    }


@pytest.mark.parametrize("name", FORMS)
def test_a_bundle_gives_the_numbers_of_tensorflowjs(
    name: str, found: Mapping[str, np.ndarray], right: Mapping[str, np.ndarray]
) -> None:
    assert found[name].shape == right[name].shape
    np.testing.assert_allclose(found[name], right[name], rtol=1e-5, atol=1e-5)


def test_callers_ask_for_nodes_by_their_names_in_the_file(tmp_path: Path) -> None:
    named = [placeholder("my x", 3), new_node("Neg", "my node", ["my x"], T=DType.float32)]
    write_model(tmp_path / "m", [*named, new_node("Neg", "end", ["my node"], T=DType.float32)])
    asked = '[[model]]\nname = "m"\nsource = "m"\n'
    asked += '[[model.signature]]\nkey = "k"\ninputs = ["my x"]\noutputs = ["my node"]\n'
    (tmp_path / "bundle.toml").write_text('[bundle]\nname = "b"\n' + asked)
    report = bundler.build(tmp_path / "bundle.toml", output=tmp_path / "bundle")
    assert report.models[0].notes == (
        "renamed, because TensorFlow refuses such names: 'my x' is 'my_x', 'my node' is 'my_node'",
    )
    given = answers(tmp_path / "bundle", {"k": {"my x": np.ones(3, np.float32)}}, ONEDNN)
    assert given["k"]["my node"].tolist() == [-1, -1, -1]
