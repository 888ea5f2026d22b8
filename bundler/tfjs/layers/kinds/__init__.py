"""The layers: what each kind computes, as a function that writes its nodes.

To add a layer,

1. list its options in `options.KINDS`, by the names in its configuration;
2. write a function in the module of its family: `(scope, *inputs, **options) -> value`, or a tuple of values. It has a
   parameter for each input and a keyword parameter for each option (or `**_: object` for those without a bearing);
3. put it into the module's table `LAYERS`.

    def _leaky_relu(scope: Scope, x: Value, *, alpha: float) -> Value:
        return scope.op("LeakyRelu", floats(scope, x), alpha=alpha)

`scope.op` writes a node, `scope.weight` gives a variable, `loops.loop` writes a loop, `scope.apply` calls a layer that
an option holds; `graph.tensors` has what layers share. If the origins disagree, the difference is a field of
`origins.Origin`. The output has no mask unless the function sets one, or `Origin.passes_masks` lists the kind.
A ConversionError gets the layer's name where the function is called.
"""

from __future__ import annotations

from collections.abc import Mapping

from bundler.tfjs.layers.graph.scope import Make
from bundler.tfjs.layers.kinds import (
    activations,
    attention,
    core,
    einsum,
    embedding,
    merging,
    normalization,
    operators,
    preprocessing,
    rectifiers,
    reshaping,
)
from bundler.tfjs.layers.kinds.recurrent import convolutional, sequences, wrappers
from bundler.tfjs.layers.kinds.spatial import convolution, images, pooling, transposed

__all__ = ["LAYERS"]

LAYERS: Mapping[str, Make] = {
    **activations.LAYERS,
    **attention.LAYERS,
    **convolution.LAYERS,
    **convolutional.LAYERS,
    **core.LAYERS,
    **einsum.LAYERS,
    **embedding.LAYERS,
    **images.LAYERS,
    **merging.LAYERS,
    **normalization.LAYERS,
    **operators.LAYERS,
    **pooling.LAYERS,
    **preprocessing.LAYERS,
    **sequences.LAYERS,
    **rectifiers.LAYERS,
    **reshaping.LAYERS,
    **transposed.LAYERS,
    **wrappers.LAYERS,
}
