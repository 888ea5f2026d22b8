"""Where the nodes of a step are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bundler.drafting import scope
from bundler.drafting.value import Value
from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node, shape_proto
from bundler.ir.protos import TensorProto
from bundler.manifest import Compat

__all__ = ["Scope"]


@dataclass(frozen=True)
class Scope(scope.Scope):
    """A place in the graph of a composed signature: a step. `compat` is the runtime that the graph must suit."""

    step: str = ""
    compat: Compat = Compat.NONE

    @property
    def name(self) -> str:
        """How the names of its nodes begin."""
        return self.step

    @property
    def real(self) -> DType:
        """The dtype of what is computed from sizes: doubles as in JavaScript, but for TFLite, which has none."""
        return DType.float32 if self.compat == Compat.TFLITE else DType.float64

    def divide(self, value: Value, by: float | Sequence[float]) -> Value:
        """The value by known numbers, with the quotients of IEEE 754, as JavaScript has them.

        TensorFlow's optimizers make `x * (1 / c)` of a RealDiv by a constant, and 49 / 49 less than 1. They leave
        DivNoNan alone, which is the same but for a divisor of 0.
        https://github.com/tensorflow/tensorflow/blob/v2.19.0/tensorflow/core/grappler/optimizers/constant_folding.cc
        """
        divisor = np.array(by, value.dtype.numpy)
        op = "DivNoNan" if divisor.all() and self.compat != Compat.TFLITE else "RealDiv"
        return self.op(op, value, self.constant(divisor, "by"))

    def texts(self, name: str, texts: Sequence[str]) -> Value:
        """A constant vector of strings."""
        shape = (len(texts),)
        content = [text.encode() for text in texts]
        proto = TensorProto(dtype=DType.string.value, tensor_shape=shape_proto(shape), string_val=content)
        made = new_node("Const", self.fresh(name), dtype=DType.string, value=proto)
        self.sketch.nodes.append(made)
        return Value(made.name, shape, DType.string, self.sketch)
