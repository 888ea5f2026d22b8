"""The part of docs/OPS.md about TensorFlow's optimizers."""

from __future__ import annotations

from itertools import groupby

from tests.rewrites.fusions.graphs import Trap
from tests.rewrites.fusions.table import TRAPS

__all__ = ["section"]

HEAD = """
## What TensorFlow's optimizers make of a graph

When TensorFlow loads a graph, it replaces patterns of nodes by faster ones: `remapper.cc`, `arithmetic_optimizer.cc`,
`constant_folding.cc` and, with oneDNN, the layout pass. Some of the patterns forget a precondition, and the graph gives
other numbers, is refused, or ends the process. The table lists {count} small graphs that were tried, each right in
TensorFlow.js.

- **without a rule**: what TensorFlow 2.19 with oneDNN (the default on x86) makes of the graph as it is; 2.16 and 2.21
  do the same (but for the Squeeze, of which 2.19 dies and which 2.21 refuses).
- **rule**: the rule of `bundler/rewrites` that writes the graph in another form of the same numbers. With it, all
  {count} graphs are right to 1e-5, in a session and by `tf.saved_model.load`, with oneDNN and without
  (`tests/rewrites/test_fusions.py`). A graph without a rule stays as it is, and is fused.

| pattern | graph | without a rule | rule |
|---|---|---|---|
"""

LIMITS = """
Known, and not mended:

- **An empty batch with oneDNN.** The kernels of Conv2D and Conv3D give a tensor of no elements the shape of their
  input, not of their output: `[0, 6, 7, 3]` for `[0, 6, 7, 8]`. What reads it refuses ("Incompatible shapes: [1,1,16]
  vs. [0,192,192,3]" for facemesh), or passes the wrong shape on. No other form of a convolution avoids it. An instance
  norm of an empty batch ends the process. Without oneDNN (`TF_ENABLE_ONEDNN_OPTS=0`) both are right.
- **Instance norm of one channel** whose gamma is wider than that channel: the fused op gives the shape of x. Whether
  x has one channel is not known before the graph runs.
- **Attention scores with a mask wider than they are** (`[B, 1, S, T]`, scores of one batch, row or column): the fused
  op gives the shape of the scores. Their shape is not known before the graph runs.
- **Outputs inside of a pattern**, in a session with oneDNN: a signature that asks for the Sigmoid of a swish behind a
  convolution, the Softplus of a Mish, or the product in max(a * x, x), beside the whole, is refused ("was not found in
  the Graph"). `tf.saved_model.load` runs it.
- **More exact than the browser.** log(softmax(x)) becomes LogSoftmax, log(1 + x) Log1p, exp(x) - 1 Expm1: -200 where
  TensorFlow.js gives -inf. x ** 0.5 becomes Sqrt, which gives NaN for -inf.
"""


def section() -> str:
    """A row for each trap; the pattern is named once."""
    rows = [row for pattern, traps in groupby(TRAPS, lambda trap: trap.pattern) for row in _rows(pattern, list(traps))]
    return HEAD.format(count=len(TRAPS)) + "".join(rows) + LIMITS


def _rows(pattern: str, traps: list[Trap]) -> list[str]:
    names = [pattern, *[""] * (len(traps) - 1)]
    return [f"| {name} | {trap.graph} | {trap.found} | {_code(trap.rule)} |\n" for name, trap in zip(names, traps)]


def _code(name: str) -> str:
    return f"`{name}`" if name else ""
