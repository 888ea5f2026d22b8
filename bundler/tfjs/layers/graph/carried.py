"""The mask that TensorFlow.js carries from call to call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bundler.drafting.value import Value

__all__ = ["Carried"]


@dataclass
class Carried:
    """The mask of the last call whose inputs had one: a later call whose inputs have none gets it, too.

    TensorFlow.js writes the mask into the arguments of the call of the model that it executes, and reads it from there;
    a model passes its arguments on to its layers if there are any by then, which `is_shared` says.

    https://github.com/tensorflow/tfjs/blob/tfjs-v4.22.0/tfjs-layers/src/engine/executor.ts, `execute`
    """

    mask: Value | None = None
    is_shared: bool = False

    def meet(self, inputs: Iterable[Value]) -> None:
        """Take over the mask of the first input if any of them has one."""
        masks = [value.mask for value in inputs]
        if any(mask is not None for mask in masks):
            self.mask, self.is_shared = masks[0], True

    def of_model(self) -> Carried:
        """What the layers of a model carry, which is called with these arguments."""
        return self if self.is_shared else Carried(is_shared=True)
