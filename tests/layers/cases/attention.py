"""Attention and EinsumDense."""

from __future__ import annotations

from typing import Any

from tests.layers.case import KERAS_2, Case, Differs, Shape, case, lacks, made
from tests.layers.model import Input, ids, layer, wired

QUERY, VALUE = (5, 4), (6, 4)
EMBEDDED = layer("Embedding", input_dim=4, output_dim=4, mask_zero=True)
TOKENS = {"a": ids(5), "b": ids(6)}
HEADS = {"num_heads": 2, "key_dim": 3}
UNCAUSAL = {**lacks(keras3="nrecognized keyword"), KERAS_2: Differs("it does not write the option into its file")}


def self_attention(name: str, x: Shape = (5, 4), **options: Any) -> Case:
    model = wired("y = m(x, x)", {"x": Input(x)}, m=layer("MultiHeadAttention", **options))
    return made("MultiHeadAttention", name, model)


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
    *(
        case(kind, name, [QUERY, VALUE], **options, but=but)
        for kind in ("Attention", "AdditiveAttention")
        for name, options, but in (("with dropout", {"dropout": 0.5}, {}), ("causal", {"causal": True}, UNCAUSAL))
    ),
    self_attention("plain", **HEADS),
    self_attention("with dropout", **HEADS, dropout=0.5),
    self_attention("over two axes", x=(3, 5, 4), **HEADS, attention_axes=[1, 2]),
    self_attention("over the first axis", x=(3, 5, 4), **HEADS, attention_axes=[1]),
    self_attention("over axes in another order", x=(3, 2, 5, 4), **HEADS, attention_axes=[3, 1]),
    self_attention("without bias", **HEADS, use_bias=False),
    self_attention("with a size of values", **HEADS, value_dim=2),
    made(
        "MultiHeadAttention",
        "of a query, a value and a key",
        wired(
            "y = m(q, v, k)",
            {"q": Input(QUERY), "v": Input(VALUE), "k": Input((6, 3))},
            m=layer("MultiHeadAttention", **HEADS),
        ),
    ),
    made(
        "MultiHeadAttention",
        "of masked steps",
        wired("y = m(e(a), f(b))", TOKENS, e=EMBEDDED, f=EMBEDDED, m=layer("MultiHeadAttention", **HEADS)),
    ),
    made(
        "MultiHeadAttention",
        "of masked steps with dropout",
        wired("y = m(e(a), f(b))", TOKENS, e=EMBEDDED, f=EMBEDDED, m=layer("MultiHeadAttention", **HEADS, dropout=0.5)),
    ),
    made(
        "MultiHeadAttention",
        "of a masked query",
        wired("y = m(e(a), z)", {"a": ids(5), "z": Input((6, 4))}, e=EMBEDDED, m=layer("MultiHeadAttention", **HEADS)),
    ),
    made(
        "MultiHeadAttention",
        "that looks back only",
        wired("y = m(x, x, use_causal_mask=True)", {"x": Input((5, 4))}, m=layer("MultiHeadAttention", **HEADS)),
    ),
    made(
        "Attention",
        "that looks back only",
        wired("y = m([x, z], use_causal_mask=True)", {"x": Input((5, 4)), "z": Input((5, 4))}, m=layer("Attention")),
    ),
    self_attention("to another size", **HEADS, output_shape=[7]),
]
