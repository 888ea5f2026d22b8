"""The compatibility modes, on the models that the predecessor's users had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundler.api as tfjs
from tests.api.conftest import Written
from tests.api.known import MODELS

NO_BUILTINS = {"table": "TFLite has no builtin for hash tables of strings and floats"}


@pytest.mark.parametrize("compat", tfjs.CompatMode)
@pytest.mark.parametrize("name", ["depthwise_relu", "depthwise_prelu", "prelu"])
def test_no_mode_leaves_fused_ops(name: str, compat: tfjs.CompatMode, tmp_path: Path, model_dir: Written) -> None:
    path = tfjs.graph_model_to_frozen_graph(model_dir(name), str(tmp_path / "frozen.pb"), compat)
    ops = {node.op for node in tfjs.GraphDef.FromString(Path(path).read_bytes()).node}
    assert not {op for op in ops if op.startswith(("_", "Fused", "Prelu"))}


@pytest.mark.parametrize(
    ("compat", "dtype"),
    [(tfjs.CompatMode.NONE, np.int64), (tfjs.CompatMode.TFJS, np.int32)],
)
def test_int64_inputs_are_int32_in_mode_tfjs(compat: tfjs.CompatMode, dtype: type, model_dir: Written) -> None:
    graph = tfjs.load_graph_model(model_dir("int64"), compat)
    assert [info.dtype for info in tfjs.get_input_nodes(graph)] == [dtype]
    (fed,), (expected,) = MODELS["int64"].feeds.values(), MODELS["int64"].answers.values()
    np.testing.assert_array_equal(tfjs.graph_to_function_v2(graph)(fed.astype(dtype))[0].numpy(), expected)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in NO_BUILTINS])
def test_mode_tflite_converts_with_builtin_ops_alone(name: str, tmp_path: Path, tf: Any, model_dir: Written) -> None:
    known, folder = MODELS[name], str(tmp_path / "saved")
    tfjs.graph_model_to_saved_model(model_dir(name), folder, compat_mode=tfjs.CompatMode.TFLITE)
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    run = tf.lite.Interpreter(model_content=converter.convert()).get_signature_runner("serving_default")
    for key, answer in run(**known.feeds).items():
        np.testing.assert_allclose(answer, known.answers[key], rtol=1e-4, atol=1e-5)
