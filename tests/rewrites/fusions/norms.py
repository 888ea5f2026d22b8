"""Moments and a normalisation: what becomes a layer norm or an instance norm."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from bundler.ir.nodes import Node
from tests.rewrites.fusions.graphs import INT, Given, Trap, const, f, trap, wave

__all__ = ["TRAPS"]

RULE = "keep_norm_out_of_fusion"


def mean(name: str, x: str, axes: str) -> Node:
    return f("Mean", name, x, axes, Tidx=INT, keep_dims=True)


def normalised(x: str, variance_axes: str = "axes") -> list[Node]:
    """`tf.nn.moments` and `tf.nn.batch_normalization`."""
    return [
        mean("mean", x, "axes"),
        f("SquaredDifference", "difference", x, "mean"),
        mean("variance", "difference", variance_axes),
        f("AddV2", "sum", "variance", "epsilon"),
        f("Rsqrt", "rsqrt", "sum"),
        f("Mul", "scale", "rsqrt", "gamma"),
        f("Mul", "scaled", x, "scale"),
        f("Mul", "shifted", "mean", "scale"),
        f("Sub", "shift", "beta", "shifted"),
        f("AddV2", "y", "scaled", "shift"),
    ]


CENTRED = [
    *normalised("x")[:5],
    f("Sub", "centred", "x", "mean"),
    f("Mul", "whitened", "centred", "rsqrt"),
    f("Mul", "scaled", "whitened", "gamma"),
    f("AddV2", "y", "scaled", "beta"),
]
SWAPPED = [
    made._replace(
        op=made.op.replace("AddV2", "Add"), input=made.input if made.op in ("Sub", "Mean") else made.input[::-1]
    )
    for made in normalised("x")
]
RESHAPED = [
    f("Reshape", "gamma", "flat_gamma", "spread", Tshape=INT),
    f("Reshape", "beta", "flat_beta", "spread", Tshape=INT),
    *normalised("x"),
]
PARTS = [f("Split", "parts", "zero", "x", num_split=2), *normalised("parts:1")]
OTHER_AXES = normalised("x", "other_axes")


def norm(
    pattern: str,
    graph: str,
    found: str,
    shape: tuple[int, ...],
    axes: list[int],
    gamma: tuple[int, ...],
    *,
    beta: tuple[int, ...] | None = None,
    epsilon: float | list[float] = 1e-5,
    nodes: list[Node] | None = None,
    size: float = 1,
) -> Trap:
    given: Given = {
        "x": wave(*shape) * np.float32(size),
        "axes": const(axes, "int32"),
        "other_axes": const(axes[:1] if len(axes) > 1 else [0], "int32"),
        "zero": const(0),
        "epsilon": const(epsilon, "float32"),
        "gamma": const(1 + np.abs(wave(*gamma))),
        "beta": const(wave(*(gamma if beta is None else beta))),
        "flat_gamma": const(1 + np.abs(wave(math.prod(gamma)))),
        "flat_beta": const(wave(math.prod(gamma))),
        "spread": const(list(gamma), "int32"),
    }
    listed = nodes or normalised("x")
    read = {reference for made in listed for reference in made.input} - {made.name for made in listed}
    rule = "" if found == "right" else RULE
    return trap(pattern, graph, found, rule, {name: value for name, value in given.items() if name in read}, listed)


def layer_norms() -> Iterator[Trap]:
    shape, axes, c = (2, 4, 6), [2], (6,)

    def row(graph: str, found: str, *given: tuple[int, ...], **options: object) -> Trap:
        size, where, gamma = given if given else (shape, tuple(axes), c)
        return norm("layer norm", graph, found, size, list(where), gamma, size=0.05, **options)  # type: ignore[arg-type]

    yield row("epsilon 0.001", "right", epsilon=1e-3)
    yield row("epsilon 1e-5", "wrong")
    yield row("epsilon 1e-12", "wrong", epsilon=1e-12)
    yield row("rank 2", "wrong", (8, 6), (1,), c)
    yield row("operands swapped, Add for AddV2", "wrong", nodes=SWAPPED)
    yield row("variance over another axis", "wrong", epsilon=1e-3, nodes=OTHER_AXES)
    yield row("gamma and beta scalars", "refused", shape, (2,), (), epsilon=1e-3)
    yield row("gamma and beta [1, 1, C]", "refused", shape, (2,), (1, 1, 6), epsilon=1e-3)
    yield row("gamma and beta [T, C]", "refused", shape, (2,), (4, 6), epsilon=1e-3)
    yield row("beta a scalar", "refused", beta=(), epsilon=1e-3)
    yield row("axis -1", "right", shape, (-1,), c)
    yield row("rank 4", "right", (2, 4, 5, 6), (3,), c)
    yield row("(x - mean) / deviation * gamma + beta", "right", nodes=CENTRED)


def instance_norms() -> Iterator[Trap]:
    image, volume, hw, dhw = (2, 4, 5, 3), (2, 3, 4, 5, 3), [1, 2], [1, 2, 3]

    def row(graph: str, found: str, gamma: tuple[int, ...], axes: list[int] = hw, **options: object) -> Trap:
        shape = volume if len(axes) == 3 else image
        return norm("instance norm", graph, found, shape, axes, gamma, **options)  # type: ignore[arg-type]

    yield row("gamma [C]", "right", (3,))
    yield row("gamma [1, 1, 1, C]", "right", (1, 1, 1, 3))
    yield row("gamma a scalar", "wrong", ())
    yield row("gamma [1]", "wrong", (1,))
    yield row("gamma [1, H, W, 1]", "wrong", (1, 4, 5, 1))
    yield row("gamma [1, H, 1, 1]", "wrong", (1, 4, 1, 1))
    yield row("gamma [1, H, W, C]", "wrong", (1, 4, 5, 3))
    yield row("gamma [B, 1, 1, C]", "wrong", (2, 1, 1, 3))
    yield row("gamma [C], beta a scalar", "right", (3,), beta=())
    yield row("axes 2 and 3, gamma [1, C, 1, 1]", "right", (1, 4, 1, 1), [2, 3])
    yield row("axes 2 and 3, gamma [C, 1, 1]", "right", (4, 1, 1), [2, 3])
    yield row("axes 2 and 3, gamma [W]", "wrong", (3,), [2, 3])
    yield row("axes 2 and 3, gamma [W, C]", "wrong", (5, 3), [2, 3])
    yield row("axes 2 and 3, gamma a scalar", "wrong", (), [2, 3])
    yield row("axes 2 and 3, gamma reshaped to [1, C, 1, 1]", "right", (1, 4, 1, 1), [2, 3], nodes=RESHAPED)
    yield row("axes 2 and 3, gamma reshaped to [1, 1, W, C]", "wrong", (1, 1, 5, 3), [2, 3], nodes=RESHAPED)
    yield row("axes 1 and 3", "right", (3,), [1, 3])
    yield row("rank 5, gamma [C]", "right", (3,), dhw)
    yield row("rank 5, gamma a scalar", "wrong", (), dhw)
    yield row("rank 5, gamma [1, D, H, W, 1]", "wrong", (1, 3, 4, 5, 1), dhw)
    yield row("rank 5, axes 2, 3, 4, gamma [1, C, 1, 1, 1]", "right", (1, 3, 1, 1, 1), [2, 3, 4])
    yield row("variance over other axes", "wrong", (3,), nodes=OTHER_AXES)
    yield row("epsilon [C]", "wrong", (3,), epsilon=[1e-5, 0.5, 2])
    yield row("x is the second output of a node", "wrong", (3,), nodes=PARTS)
    yield row("(x - mean) / deviation * gamma + beta", "right", (1, 4, 5, 1), nodes=CENTRED)


TRAPS = [*layer_norms(), *instance_norms()]
