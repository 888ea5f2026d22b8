"""All traps, pattern after pattern."""

from __future__ import annotations

from tests.rewrites.fusions import activations, norms, order, paddings, sums
from tests.rewrites.fusions.graphs import Trap

__all__ = ["TRAPS"]

TRAPS: list[Trap] = [*norms.TRAPS, *activations.TRAPS, *sums.TRAPS, *paddings.TRAPS, *order.TRAPS]
