"""What a signature does not say, TensorFlow infers: the dtype and shape of a tensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bundler import savedmodel
from bundler.model import Model, Signature, TensorSpec
from bundler.runtime import Runtime
from bundler.select import prune

__all__ = ["infer"]


def infer(model: Model, runtime: Callable[[], Runtime]) -> Model:
    """Fill in the dtypes and shapes that nobody said. The runtime is only asked for where some are missing."""
    specs = [spec for signature in model.signatures.values() for spec in signature.specs]
    unknown = sorted({spec.tensor for spec in specs if spec.dtype is None or spec.shape is None})
    if not unknown:
        return model
    # Only what makes them: TensorFlow takes long over a graph of many models.
    asked = Signature({}, {tensor.full: TensorSpec(tensor) for tensor in unknown})
    part = prune(replace(model, signatures={"": asked}, initializers=()))
    told = runtime().shapes(savedmodel.graph_def(part), [tensor.full for tensor in unknown])
    facts = dict(zip(unknown, told))

    def complete(spec: TensorSpec) -> TensorSpec:
        dtype, shape = facts.get(spec.tensor, (None, None))
        return replace(spec, dtype=spec.dtype or dtype, shape=shape if spec.shape is None else spec.shape)

    return model.map_signatures(complete)
