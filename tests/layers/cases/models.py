"""Whole models: nested, shared, of several inputs and outputs."""

from __future__ import annotations

from tests.layers.case import made
from tests.layers.model import Input, Stack, ids, layer, wired

X = {"x": Input((4,))}
DENSE = layer("Dense", units=4)
TWO = Stack((layer("Dense", units=3, activation="tanh"), DENSE), Input((4,)))
INNER = wired("h = a(x); y = add([h, x])", X, a=DENSE, add=layer("Add"))
FORK = wired("h = a(x); y = b(h)", X, "h y", a=DENSE, b=layer("Dense", units=2))

CASES = [
    made("Functional", "of a shared layer", wired("y = d(d(d(x)))", X, d=DENSE)),
    made("Functional", "of several outputs", FORK),
    made(
        "Functional",
        "of several inputs",
        wired("y = c([d(x), z])", {**X, "z": Input((2,))}, d=DENSE, c=layer("Concatenate")),
    ),
    made(
        "Functional",
        "of one output twice",
        wired("h = a(x); y = b(h); z = b(y)", X, "y z", a=DENSE, b=layer("Dense", units=4)),
    ),
    made("Functional", "that returns its input", wired("h = a(x)", X, "x h", a=DENSE)),
    made("Functional", "of a Functional", wired("y = d(m(x))", X, m=INNER, d=DENSE)),
    made("Functional", "of a Functional twice", wired("y = d(m(m(x)))", X, m=INNER, d=DENSE)),
    made(
        "Functional",
        "of a Functional of several outputs",
        wired("h, k = m(x); y = c([h, k])", X, m=FORK, c=layer("Concatenate")),
    ),
    made("Functional", "of a Sequential", wired("y = d(m(x))", X, m=TWO, d=DENSE)),
    made("Functional", "of a Sequential twice", wired("y = d(m(m(x)))", X, m=TWO, d=DENSE)),
    made(
        "Functional",
        "of a Sequential and its layers",
        wired("y = add([m(x), d(x)])", X, m=TWO, d=DENSE, add=layer("Add")),
    ),
    made("Functional", "that ends with a Functional twice", wired("h = m(x); y = m(h)", X, "h y", m=INNER)),
    made("Functional", "that ends with a Sequential twice", wired("h = m(x); y = m(h)", X, "h y", m=TWO)),
    made("Functional", "of models in models", wired("y = m(x)", X, m=wired("y = n(n(x))", X, n=INNER))),
    made("Functional", "of a Sequential of a Functional", wired("y = m(x)", X, m=Stack((INNER, DENSE), Input((4,))))),
    made("Sequential", "of one layer", Stack((DENSE,), Input((4,)))),
    made("Sequential", "of many layers", Stack((DENSE,) * 7, Input((4,)))),
    made("Sequential", "of a Sequential", Stack((DENSE, TWO, DENSE), Input((4,)))),
    made("Sequential", "that begins with a Sequential", Stack((TWO, DENSE), Input((4,)))),
    made("Sequential", "of a Functional", Stack((DENSE, INNER, DENSE), Input((4,)))),
    made("TimeDistributed", "of a Sequential", Stack((layer("TimeDistributed", layer=TWO),), Input((5, 4)))),
    made("TimeDistributed", "of a Functional", Stack((layer("TimeDistributed", layer=INNER),), Input((5, 4)))),
    made(
        "InputLayer",
        "of int32",
        wired("y = e(x)", {"x": ids(5, dtype="int32")}, e=layer("Embedding", input_dim=4, output_dim=2)),
    ),
    made("InputLayer", "of a batch that is fixed", wired("y = d(x)", {"x": Input((4,), batch=3, fixed=True)}, d=DENSE)),
]
