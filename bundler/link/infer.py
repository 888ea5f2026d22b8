"""What a signature does not say, TensorFlow infers: the dtype and shape of a tensor."""

from __future__ import annotations

from dataclasses import replace

from bundler.encoding.graphdef import structure
from bundler.errors import ConversionError
from bundler.ir.model import Model, Signature, TensorSpec
from bundler.ir.nodes import Tensor
from bundler.ir.prune import prune
from bundler.link.shapes import shapes
from bundler.runtimes.failures import meaning
from bundler.runtimes.tensorflow import Runtime

__all__ = ["infer"]


def _unknown(model: Model) -> list[Tensor]:
    """The tensors of the signatures whose dtype or shape is unknown."""
    specs = (spec for signature in model.signatures.values() for spec in signature.specs)
    return sorted({spec.tensor for spec in specs if spec.dtype is None or spec.shape is None})


def infer(model: Model, runtime: Runtime) -> Model:
    """Fill in the dtypes and shapes that the signatures leave open. The runtime is asked only if there are such.

    Raises ConversionError if TensorFlow refuses the graph.
    """
    tensors = _unknown(model)
    if not tensors:
        return model
    # Only what makes them: TensorFlow takes long over a large graph.
    asked = Signature({}, {tensor.full: TensorSpec(tensor) for tensor in tensors})
    part = prune(replace(model, signatures={"": asked}, initializers=()))
    with meaning(ConversionError):
        facts = dict(zip(tensors, shapes(structure(part), [tensor.full for tensor in tensors], runtime)))

    def complete(spec: TensorSpec) -> TensorSpec:
        dtype, shape = facts.get(spec.tensor, (None, None))
        return replace(spec, dtype=spec.dtype or dtype, shape=shape if spec.shape is None else spec.shape)

    return model.map_signatures(complete)
