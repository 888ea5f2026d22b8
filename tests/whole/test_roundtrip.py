"""From TensorFlow to TensorFlow.js by its own converter, and back by bundler: the numbers are those of the original."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import bundler
from tests.support import originals
from tests.support.answers import ONEDNN, Tensors, answers
from tests.support.models import text
from tests.support.originals import ANSWERS, VARIANTS, Answer

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("tensorflowjs") is None, reason="needs the package tensorflowjs, of the extra `layers`"
)
MANIFEST = '[bundle]\nname = "originals"\n' + "".join(
    f'[[model]]\nname = "{name}"\nsource = "{name}"\n' for name in VARIANTS
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models, converted, in a folder each, and a manifest of all."""
    made = tmp_path_factory.mktemp("originals")
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "TF_USE_LEGACY_KERAS": "1"}
    done = subprocess.run(
        [sys.executable, str(originals.__file__), str(made)],
        env={**os.environ, **quiet},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    (made / "bundle.toml").write_text(MANIFEST)
    return made


@pytest.fixture(scope="module")
def expected(folder: Path) -> Mapping[str, Answer]:
    """What the original models give."""
    return {name: Answer(*values) for name, values in pickle.loads((folder / ANSWERS).read_bytes()).items()}


@pytest.fixture(scope="module")
def found(folder: Path, expected: Mapping[str, Answer]) -> Mapping[str, Tensors]:
    """What one bundle of all of them gives."""
    bundler.build(folder / "bundle.toml", output=folder / "bundle")
    return answers(folder / "bundle", {name: answer.feeds for name, answer in expected.items()}, ONEDNN)


WRITTEN = {
    "uint8": '"dtype": "uint8"',
    "uint16": '"dtype": "uint16"',
    "float16": '"dtype": "float16"',
    "sharded": "group1-shard2of",
    "loops_v1": '"op": "NextIteration"',
    "loops_v2": '"op": "While"',
    "branches_v1": '"op": "Switch"',
    "branches_v2": '"op": "If"',
    "rows_v1": '"op": "TensorListStack"',
    "rows_v2": '"op": "TensorListStack"',
    "tables": "initializerSignature",
    "old_tables": "modelInitializer",
    "heads": '"Identity_1:0"',
    "structured": "structuredOutputKeys",
    "slopes": text("Prelu"),
    "mixed": '"op": "FusedDepthwiseConv2dNative"',
    "mixed_float16": '"DT_HALF"',
}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_converter_wrote_what_is_to_be_read(name: str, folder: Path) -> None:
    assert WRITTEN[name] in (folder / name / "model.json").read_text()


RENAMED = {"heads": {"left": "Identity_1", "right": "Identity_2"}}
"""Outputs of one dtype and shape, which the converter does not distinguish: it numbers them."""


@pytest.mark.parametrize("name", VARIANTS)
def test_a_model_comes_back_with_its_numbers(
    name: str, expected: Mapping[str, Answer], found: Mapping[str, Tensors]
) -> None:
    names = RENAMED.get(name, {})
    right = {names.get(output, output): value for output, value in expected[name].outputs.items()}
    assert set(found[name]) == set(right)
    for output, value in right.items():
        assert found[name][output].dtype == value.dtype
        if value.dtype.kind == "f":
            atol = (2e-3 if value.dtype == np.float16 else 1e-5) * np.abs(value).max()
            np.testing.assert_allclose(found[name][output], value, atol=atol, err_msg=output)
        else:
            np.testing.assert_array_equal(found[name][output], value, err_msg=output)
