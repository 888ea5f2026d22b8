"""Cases of tfdf.json: decision forests, which bundler refuses by name."""

from __future__ import annotations

from bundler import ops
from bundler.ir.dtypes import DType
from bundler.ir.nodes import new_node
from tests.conformance.case import Cannot, case

__all__ = ["CASES"]

CASES = [
    case(
        op,
        "refused",
        [1.0],
        nodes=[new_node(op, "forest", ["x"]), new_node("Identity", "y", ["forest"], T=DType.float32)],
        javascript=Cannot("its kernels are in the package tfjs-tfdf"),
        refused=ops.table()[op].refused,
    )
    for op in ("SimpleMLCreateModelResource", "SimpleMLLoadModelFromPathWithHandle", "SimpleMLInferenceOpWithHandle")
]
