"""Warm-up requests: the bytes that TensorFlow Serving's own messages give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ml_dtypes import bfloat16

from bundler.serving.warmup import request

STRINGS = np.array([b"a", b"\xff\0", b""], object)
VALUES = [
    *(np.array([[1, 2], [3, 4]], dtype) for dtype in ("int8", "int16", "int32", "int64")),
    *(np.array([[1, 2], [3, 4]], dtype) for dtype in ("uint8", "uint16", "uint32", "uint64")),
    *(np.array([1.5, -2, np.nan], dtype) for dtype in ("float16", "float32", "float64", bfloat16)),
    *(np.array([1 + 2j, -1j], dtype) for dtype in ("complex64", "complex128")),
    np.array([True, False]),
    STRINGS,
    np.array(b"one", object),
    np.float32(2.5),
    np.zeros((0, 3), np.float32),
]
CONSTANT = [
    *(np.full((2, 3), 7, dtype) for dtype in ("int8", "int16", "int32", "int64")),
    *(np.full((2, 3), 7, dtype) for dtype in ("uint8", "uint16", "uint32", "uint64")),
    *(np.full((4,), 1.5, dtype) for dtype in ("float16", "float32", "float64", bfloat16)),
    *(np.full((4,), -0.0, dtype) for dtype in ("float16", "float32", "float64", bfloat16)),
    *(np.full((4,), 1 + 2j, dtype) for dtype in ("complex64", "complex128")),
    np.ones((1, 9), bool),
    np.full(3, (1 << 64) - 1, np.uint64),
]


def test_a_request_names_the_model_the_signature_and_the_inputs() -> None:
    record = request("tiny", "edges", {"b": np.array([1, 2], np.uint8), "a": np.array(b"x", object)})
    assert record == (
        b"2\x32\n\x30"  # predict_log, its request
        b"\n\r\n\x04tiny\x1a\x05edges"  # model_spec: name and signature_name
        b"\x12\x0c\n\x01a\x12\x07\x08\x07\x12\x00B\x01x"  # inputs: a scalar string
        b'\x12\x11\n\x01b\x12\x0c\x08\x04\x12\x04\x12\x02\x08\x02"\x02\x01\x02'  # and two bytes
    )


def test_a_constant_takes_the_bytes_of_one_element() -> None:
    image = np.zeros((1, 385, 385, 3), np.float32)
    assert len(request("posenet", "serving_default", {"input": image})) < 90
    assert len(request("posenet", "serving_default", {"input": image + np.arange(3, dtype=np.float32)})) > image.nbytes


@pytest.fixture(scope="module")
def api() -> Any:
    """TensorFlow Serving's messages, and `make_ndarray` of TensorFlow."""
    pytest.importorskip("tensorflow_serving")
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    class Api:
        PredictionLog = prediction_log_pb2.PredictionLog
        make_ndarray = staticmethod(tf.make_ndarray)

    return Api


@pytest.mark.slow
@pytest.mark.parametrize("value", [*VALUES, *CONSTANT], ids=lambda value: f"{value.dtype}{list(value.shape)}")
def test_servings_messages_read_the_request_and_write_the_same_bytes(value: np.ndarray, api: Any) -> None:
    value = np.asarray(value)
    record = request("tiny", "edges", {"x": value, "other": STRINGS})
    log = api.PredictionLog.FromString(record)
    assert log.SerializeToString(deterministic=True) == record
    read = log.predict_log.request
    assert (read.model_spec.name, read.model_spec.signature_name, sorted(read.inputs)) == (
        "tiny",
        "edges",
        ["other", "x"],
    )
    found = api.make_ndarray(read.inputs["x"])
    assert (found.dtype, found.shape) == (value.dtype, value.shape)
    assert found.tobytes() == value.tobytes() or found.tolist() == value.tolist()
    assert api.make_ndarray(read.inputs["other"]).tolist() == STRINGS.tolist()
