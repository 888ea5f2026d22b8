"""Requests that TensorFlow Serving runs when it loads a model, before it answers its first caller.

They lie in a file of records, each a PredictionLog. Its messages are not part of TensorFlow; these are the fields that
a request has. Source: tensorflow_serving/apis/prediction_log.proto, predict.proto and model.proto; the rules are those
of servables/tensorflow/saved_model_warmup_util.cc: if one request fails, the model is not loaded.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bundler.encoding.message import field
from bundler.ir.dtypes import DType
from bundler.ir.nodes import shape_proto
from bundler.ir.protos import TensorProto
from bundler.runtimes.tensors import packed

__all__ = ["FILE", "MOST_REQUESTS", "request"]

FILE = "assets.extra/tf_serving_warmup_requests"
MOST_REQUESTS = 1_000
"""WarmupConsts::kMaxNumRecords: a file with more is an error."""

_LOG_PREDICT, _PREDICT_REQUEST = 6, 1
_REQUEST_MODEL, _REQUEST_INPUTS = 1, 2
_MODEL_NAME, _MODEL_SIGNATURE = 1, 3
_ENTRY_KEY, _ENTRY_VALUE = 1, 2

_FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    **dict.fromkeys(("int8", "int16", "int32", "uint8", "uint16"), "int_val"),
    "int64": "int64_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
    **dict.fromkeys(("float16", "bfloat16"), "half_val"),
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
}
"""The field of a TensorProto that holds values of a dtype one by one (tensorflow/core/framework/tensor.proto)."""


def request(model: str, key: str, inputs: Mapping[str, np.ndarray]) -> bytes:
    """A serialized PredictionLog: signature `key` of a model is called with a value for each input."""
    spec = field(_MODEL_NAME, model.encode()) + field(_MODEL_SIGNATURE, key.encode())
    entries = (
        field(_REQUEST_INPUTS, field(_ENTRY_KEY, name.encode()) + field(_ENTRY_VALUE, _tensor(inputs[name])))
        for name in sorted(inputs)
    )
    called = field(_REQUEST_MODEL, spec) + b"".join(entries)
    return field(_LOG_PREDICT, field(_PREDICT_REQUEST, called))


def _tensor(array: np.ndarray) -> bytes:
    dtype, shape, content = packed(array)
    made = TensorProto(dtype=dtype, tensor_shape=shape_proto(shape))
    if not isinstance(content, bytes):
        made.string_val.extend(content)
    elif array.size > 1 and _is_constant(content, array.size):
        getattr(made, _FIELDS[DType(dtype).name]).extend(_single(array))
    else:
        made.tensor_content = content
    encoded: bytes = made.SerializeToString(deterministic=True)
    return encoded


def _is_constant(content: bytes, count: int) -> bool:
    """Whether all of `count` elements have the same bytes."""
    return content == content[: len(content) // count] * count


def _single(array: np.ndarray) -> list[object]:
    """The first element, as its field of a TensorProto takes it; readers repeat it up to the shape."""
    first = array.reshape(-1)[:1]
    if first.dtype.itemsize == 2 and first.dtype.kind not in "iu":
        return [int(first.view(np.uint16)[0])]  # half_val holds the bits
    value = first.tolist()[0]
    return [value.real, value.imag] if isinstance(value, complex) else [value]
