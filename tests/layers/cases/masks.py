"""Masks: how they come about, which layers pass them on, and which read them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from tests.layers import case as words
from tests.layers.case import RECURRENT, lacks
from tests.layers.model import Input, Stack, ids, layer, wired

case, made = partial(words.case, tolerance=RECURRENT), partial(words.made, tolerance=RECURRENT)

TOKENS = ids(6)
EMBEDDED = layer("Embedding", input_dim=4, output_dim=3, mask_zero=True)
PLAIN = layer("Embedding", input_dim=4, output_dim=3)
READ = layer("LSTM", units=2)

BETWEEN: Mapping[str, Mapping[str, Any]] = {
    "Dense": {"units": 3},
    "EinsumDense": {"equation": "abc,cd->abd", "output_shape": [None, 3]},
    "Activation": {"activation": "tanh"},
    **{kind: {} for kind in ("BatchNormalization", "LayerNormalization", "UnitNormalization", "RMSNormalization")},
    "GroupNormalization": {"groups": 3},
    **{kind: {} for kind in ("ReLU", "LeakyReLU", "PReLU", "ELU", "ThresholdedReLU")},
    **{kind: {"rate": 0.5} for kind in ("Dropout", "GaussianDropout", "AlphaDropout", "SpatialDropout1D")},
    "GaussianNoise": {"stddev": 0.5},
    "ActivityRegularization": {},
    "Identity": {},
    "Rescaling": {"scale": 2.0},
    "Normalization": {"mean": 0.5, "variance": 2.0},
    "Masking": {"mask_value": 9.0},
    "Reshape": {"target_shape": [6, 3]},
    "Permute": {"dims": [1, 2]},
    "Conv1D": {"filters": 2, "kernel_size": 2, "padding": "same"},
    "MaxPooling1D": {"pool_size": 1},
    "UpSampling1D": {"size": 1},
    "ZeroPadding1D": {"padding": 0},
    "Cropping1D": {"cropping": 0},
    "SimpleRNN": {"units": 2, "return_sequences": True},
    "GRU": {"units": 2, "return_sequences": True},
    "LSTM": {"units": 2, "return_sequences": True},
    "TimeDistributed": {"layer": layer("Dense", units=2)},
    "Bidirectional": {"layer": layer("GRU", units=2, return_sequences=True)},
}
"""Layers that keep the steps of a series apart, so that a mask can go through them."""

UNMASKED = {"GroupNormalization": lacks(keras2="Dimensions must be equal")}

JOINED = {"e": EMBEDDED, "f": EMBEDDED, "p": PLAIN, "read": READ}
PAIR = {"a": TOKENS, "b": TOKENS}
FILM, SERIES = Input((5, 4, 4, 2), "padded"), Input((5, 4, 2), "padded")
NOT_INSIDE = lacks(javascript="could not be broadcast together with shapes 2,2 and 2,4")
MASK = {"x": Input((6, 3)), "m": ids(6, below=2, dtype="bool")}
BROADCAST = lacks(javascript="could not be broadcast together with shapes 2,2 and 1,6")
"""TensorFlow.js cannot join the masks of several inputs."""
UNJOINED = {
    ("one mask", 1): lacks(javascript="does not match the shape of the rest", keras2="must be equal, but are 1 and 3")
}
UNLOADED = lacks(javascript="but instead got 2 Tensors")
"""TensorFlow.js does not write the mask of a call into its file."""
MERGES = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")

CASES = [
    *(
        case(kind, "passes a mask on", TOKENS, before=[EMBEDDED], after=[READ], **more, but=UNMASKED.get(kind))
        for kind, more in BETWEEN.items()
    ),
    *(
        made(
            kind,
            f"of {name}",
            wired(f"y = read(merge([e(a), {other}]))", PAIR, **JOINED, merge=layer(kind)),
            but=BROADCAST if kind != "Subtract" else {},
        )
        for kind in MERGES
        for name, other in {"two masks": "f(b)", "one mask": "p(b)"}.items()
    ),
    *(
        made(
            kind,
            f"of three inputs, {name}",
            wired(f"y = read(merge([{inputs}]))", {**PAIR, "c": TOKENS}, **JOINED, merge=layer(kind)),
            but=but,
        )
        for kind in MERGES
        if kind != "Subtract"
        for name, inputs, but in (
            ("two of them masked", "e(a), p(b), f(c)", lacks(javascript="passed to 'logicalAnd'")),
            ("all masked", "e(a), f(b), e(c)", BROADCAST),
        )
    ),
    *(
        made(
            "Concatenate",
            f"of {name} along {axis}",
            wired(f"y = read(merge([e(a), {other}]))", PAIR, **JOINED, merge=layer("Concatenate", axis=axis)),
            but=UNJOINED.get((name, axis)),
        )
        for axis in (-1, 1)
        for name, other in {"two masks": "f(b)", "one mask": "p(b)"}.items()
    ),
    made("Masking", "of masked steps", wired("y = r(m(e(a)))", {"a": TOKENS}, e=EMBEDDED, m=layer("Masking"), r=READ)),
    case("GlobalAveragePooling1D", "after a Dense", TOKENS, before=[EMBEDDED, layer("Dense", units=3)]),
    case("Flatten", "of masked steps", TOKENS, before=[EMBEDDED], after=[layer("Dense", units=2)]),
    *(
        made(kind, "with a mask in the call", wired("y = r(x, mask=m)", given, r=layer(kind, **more)), but=UNLOADED)
        for kind, given, more in (
            ("LSTM", MASK, {"units": 2}),
            ("Bidirectional", MASK, {"layer": READ}),
            ("Softmax", {**MASK, "x": Input((6,))}, {}),
            ("GlobalAveragePooling1D", MASK, {}),
        )
    ),
    made("LSTM", "with no mask in the call", wired("y = r(e(a), mask=None)", {"a": TOKENS}, e=EMBEDDED, r=READ)),
    made("Sequential", "that begins with a mask", Stack((EMBEDDED, READ), TOKENS)),
    made(
        "Functional",
        "of a masked Sequential",
        wired("y = r(m(a))", {"a": TOKENS}, m=Stack((EMBEDDED, layer("Dense", units=2)), TOKENS), r=READ),
    ),
    made(
        "Functional",
        "of a masked Functional",
        wired("y = r(m(a))", {"a": TOKENS}, m=wired("h = e(t)", {"t": TOKENS}, e=EMBEDDED), r=READ),
    ),
    made(
        "Functional",
        "of a masked input of a Sequential",
        wired("y = m(e(a))", {"a": TOKENS}, e=EMBEDDED, m=Stack((layer("Dense", units=2), READ), Input((6, 3)))),
    ),
    made(
        "Functional",
        "of a layer shared by masked and other steps",
        wired("h = r(e(a)); k = r(p(a))", {"a": TOKENS}, "h k", e=EMBEDDED, p=PLAIN, r=READ),
    ),
    made(
        "NotEqual",
        "as a mask",
        wired("y = r(p(a), mask=n(a, 0))", {"a": TOKENS}, p=PLAIN, n=layer("ops.not_equal"), r=READ),
    ),
    case("ConvLSTM2D", "of masked steps", FILM, before=[layer("Masking")], filters=2, kernel_size=2, padding="same"),
    case("TimeDistributed", "of LSTM of masked steps", SERIES, before=[layer("Masking")], layer=READ, but=NOT_INSIDE),
]
