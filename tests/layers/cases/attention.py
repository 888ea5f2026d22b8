"""Attention and EinsumDense."""

from __future__ import annotations

from tests.layers.case import case, made
from tests.layers.model import Input, ids, layer, wired

QUERY, VALUE = (5, 4), (6, 4)
EMBEDDED = layer("Embedding", input_dim=4, output_dim=4, mask_zero=True)
TOKENS = {"a": ids(5), "b": ids(6)}
HEADS = {"num_heads": 2, "key_dim": 3}


def self_attention(name: str, code: str = "y = m(x, x)", **options):
    inputs = {"x": Input((5, 4))}
    return made("MultiHeadAttention", name, wired(code, inputs, m=layer("MultiHeadAttention", **options)))


CASES = [
    case("EinsumDense", "plain", (4,), equation="ab,bc->ac", output_shape=[3]),
    case(
        "EinsumDense",
        "with bias",
        (5, 4),
        equation="abc,cd->abd",
        output_shape=[None, 3],
        bias_axes="d",
    ),
    case(
        "EinsumDense",
        "to heads",
        (5, 4),
        equation="abc,cde->abde",
        output_shape=[None, 2, 3],
        bias_axes="de",
        activation="relu",
    ),
    case(
        "EinsumDense",
        "with an ellipsis",
        (5, 4),
        equation="...x,xy->...y",
        output_shape=3,
        bias_axes="y",
    ),
    case("Attention", "plain", [QUERY, VALUE]),
    case("Attention", "with keys", [QUERY, VALUE, VALUE]),
    case("Attention", "with a scale", [QUERY, VALUE], use_scale=True),
    case("Attention", "by sums", [QUERY, VALUE], score_mode="concat"),
    case("AdditiveAttention", "plain", [QUERY, VALUE]),
    case("AdditiveAttention", "without a scale", [QUERY, VALUE], use_scale=False),
    made(
        "Attention",
        "of masked steps",
        wired("y = at([e(a), f(b)])", TOKENS, e=EMBEDDED, f=EMBEDDED, at=layer("Attention")),
    ),
    self_attention("plain", **HEADS),
    self_attention("without bias", **HEADS, use_bias=False),
    self_attention("with a size of values", **HEADS, value_dim=2),
    self_attention("to another size", **HEADS, output_shape=[7]),
]
