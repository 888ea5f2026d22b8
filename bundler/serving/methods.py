"""TensorFlow Serving's rules for signatures.

Serving's classifier and regressor take only signatures as `tensorflow/python/saved_model/signature_def_utils_impl.py`
writes them: one input, a string tensor of serialized tf.Examples, and outputs of fixed names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bundler.errors import Fault
from bundler.ir.dtypes import DType
from bundler.ir.model import PREDICT, Signature, TensorSpec

__all__ = ["method_faults"]

_PREFIX = PREDICT.removesuffix("predict")
_OUTPUTS: Mapping[str, Mapping[str, DType]] = {
    f"{_PREFIX}classify": {"classes": DType.string, "scores": DType.float32},
    f"{_PREFIX}regress": {"outputs": DType.float32},
}
_INPUTS: Mapping[str, DType] = {"inputs": DType.string}


def method_faults(signature: Signature) -> Iterator[Fault]:
    """The inputs and outputs for which Serving refuses to call a signature by its method; none for `predict`."""
    outputs = _OUTPUTS.get(signature.method_name)
    if outputs is not None:
        yield from _differences("input", signature.inputs, _INPUTS)
        yield from _differences("output", signature.outputs, outputs)


def _differences(side: str, found: Mapping[str, TensorSpec], expected: Mapping[str, DType]) -> Iterator[Fault]:
    wrong = [
        f"{name}: {spec.dtype or '?'}"
        for name, spec in found.items()
        if name not in expected or spec.dtype not in (None, expected[name])
    ]
    if wrong or not found:
        yield Fault(
            f"TensorFlow Serving takes no such {side} for this method",
            found=", ".join(wrong) or "none",
            expected=" and/or ".join(f"{name}: {dtype}" for name, dtype in expected.items()),
            hint='rename it, or leave the method at "predict"',
        )
