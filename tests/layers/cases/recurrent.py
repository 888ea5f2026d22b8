"""Recurrent layers, their cells, and the layers around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from tests.layers import case as words
from tests.layers.case import RECURRENT, Case, Shape, lacks
from tests.layers.model import Input, Layer, ids, layer, wired

case, made = partial(words.case, tolerance=RECURRENT), partial(words.made, tolerance=RECURRENT)

SERIES = (5, 3)
PADDED = Input((6, 3), "padded")
EMBEDDED = layer("Embedding", input_dim=4, output_dim=3, mask_zero=True)
MASK = layer("Masking")
LAYERS = ("SimpleRNN", "GRU", "LSTM")
STATES = {"SimpleRNN": 1, "GRU": 1, "LSTM": 2}
AFTER = lacks(javascript="does not support reset_after")
BACKWARDS = lacks(keras3="should have different `go_backwards` value")
CELLS_INSIDE = lacks(javascript="Improper config format")
ACTIVATIONS = ("relu", "linear", "sigmoid", "hard_sigmoid", "elu", "softsign")


def recurrent(kind: str) -> Iterator[Case]:
    units = {"units": 4}
    yield case(kind, "plain", SERIES, **units)
    yield case(kind, "in a stack", SERIES, stack=True, **units)
    yield case(kind, "of one step", (1, 3), **units)
    yield case(kind, "of many steps", (60, 3), **units)
    yield case(kind, "of unknown steps", (None, 3), **units)
    yield case(kind, "on a batch of one", Input(SERIES, batch=1), **units)
    yield case(kind, "of a batch that is fixed", Input(SERIES, batch=3, fixed=True), **units)
    yield case(kind, "without bias", SERIES, **units, use_bias=False)
    for flag in ("return_sequences", "return_state", "go_backwards", "unroll"):
        yield case(kind, flag, SERIES, **units, **{flag: True})
        yield case(kind, f"{flag} of masked steps", ids(6), before=[EMBEDDED], **units, **{flag: True})
    yield case(kind, "everything", SERIES, **units, return_sequences=True, return_state=True, go_backwards=True)
    yield case(
        kind,
        "everything of masked steps",
        PADDED,
        before=[MASK],
        **units,
        return_sequences=True,
        return_state=True,
        go_backwards=True,
    )
    yield case(kind, "of masked steps", ids(6), before=[EMBEDDED], **units)
    yield case(kind, "of masked unknown steps", ids(None), before=[EMBEDDED], **units)
    yield case(kind, "after Masking", PADDED, before=[MASK], **units)
    yield case(kind, "twice", SERIES, before=[layer(kind, units=3, return_sequences=True)], **units)
    yield case(
        kind, "twice of masked steps", PADDED, before=[MASK, layer(kind, units=3, return_sequences=True)], **units
    )
    yield case(kind, "with dropout", SERIES, **units, dropout=0.5, recurrent_dropout=0.5)
    for name in ACTIVATIONS:
        yield case(kind, f"activated by {name}", SERIES, **units, activation=name)
        if kind != "SimpleRNN":
            yield case(kind, f"gated by {name}", SERIES, **units, recurrent_activation=name)
    zeros = {"return_sequences": True, "zero_output_for_mask": True}
    yield case(kind, "that gives zeros for masked steps", PADDED, before=[MASK], **units, **zeros)
    yield case(kind, "time major", SERIES, **units, time_major=True)
    yield case(kind, "stateful", Input(SERIES, fixed=True), **units, stateful=True)
    yield from started(kind)


def started(kind: str) -> Iterator[Case]:
    """Calls with initial states."""
    count = STATES[kind]
    names = [f"s{number}" for number in range(count)]
    inputs = {"x": Input(SERIES), **{name: Input((4,)) for name in names}}
    states = f"[{', '.join(names)}]"
    code = f"y = r(x, initial_state={states})"
    yield made(kind, "with initial states", wired(code, inputs, r=layer(kind, units=4)))
    first = layer(kind, units=4, return_state=True)
    code = f"h, {', '.join(names)} = f(x); y = r(x, initial_state={states})"
    yield made(kind, "with states of another", wired(code, {"x": Input(SERIES)}, f=first, r=layer(kind, units=4)))


GATES = ("GRUCell", "LSTMCell")
CELLS = ("SimpleRNNCell", *GATES)


def cells() -> Iterator[Case]:
    for kind in CELLS:
        cell = layer(kind, units=4)
        yield case("RNN", f"of {kind}", SERIES, cell=cell)
        yield case("RNN", f"of {kind} with sequences", SERIES, cell=cell, return_sequences=True)
        yield case("RNN", f"of {kind} of masked steps", PADDED, before=[MASK], cell=cell, return_sequences=True)
        yield case("RNN", f"of {kind} without bias", SERIES, cell=layer(kind, units=4, use_bias=False))
        yield case("RNN", f"of {kind} with states", SERIES, cell=cell, return_state=True)
        yield case("RNN", f"of {kind} unrolled", SERIES, cell=cell, unroll=True)
        gate = {} if kind == "SimpleRNNCell" else {"recurrent_activation": "hard_sigmoid"}
        for name, options in {
            "activated": {"activation": "relu", **gate},
            "with dropout": {"dropout": 0.5, "recurrent_dropout": 0.5},
        }.items():
            yield case("RNN", f"of {kind} {name}", SERIES, cell=layer(kind, units=4, **options))
    yield case(
        "RNN", "of GRUCell with a bias before the reset", SERIES, cell=layer("GRUCell", units=4, reset_after=False)
    )
    yield case(
        "RNN", "of LSTMCell without a bias of one", SERIES, cell=layer("LSTMCell", units=4, unit_forget_bias=False)
    )
    for kind in GATES:
        yield case("RNN", f"of {kind} in another implementation", SERIES, cell=layer(kind, units=4, implementation=1))
    yield case("RNN", "time major", SERIES, cell=layer("GRUCell", units=4), time_major=True)
    pair = [layer("LSTMCell", units=3), layer("SimpleRNNCell", units=4)]
    yield case("RNN", "of two cells", SERIES, cell=pair)
    yield case("RNN", "of two cells with states", SERIES, cell=pair, return_state=True, return_sequences=True)
    yield case("RNN", "of two cells of masked steps", PADDED, before=[MASK], cell=pair)
    yield case("RNN", "of three cells", SERIES, cell=[layer("GRUCell", units=n) for n in (2, 3, 4)], go_backwards=True)
    yield case("RNN", "of StackedRNNCells", SERIES, cell=layer("StackedRNNCells", cells=pair))
    yield case(
        "RNN",
        "that gives zeros for masked steps",
        PADDED,
        before=[MASK],
        cell=layer("LSTMCell", units=3),
        return_sequences=True,
        zero_output_for_mask=True,
    )


def bidirectional() -> Iterator[Case]:
    for mode in ("concat", "sum", "mul", "ave", None):
        yield case("Bidirectional", f"{mode}", SERIES, layer=layer("LSTM", units=2), merge_mode=mode)
        sequences = layer("GRU", units=2, return_sequences=True)
        yield case("Bidirectional", f"{mode} with sequences", SERIES, layer=sequences, merge_mode=mode)
        yield case(
            "Bidirectional", f"{mode} of masked steps", ids(6), before=[EMBEDDED], layer=sequences, merge_mode=mode
        )
    for kind in LAYERS:
        given = layer(kind, units=3)
        yield case("Bidirectional", f"of {kind}", SERIES, layer=given)
        yield case("Bidirectional", f"of {kind} of masked steps", PADDED, before=[MASK], layer=given)
        yield case("Bidirectional", f"of {kind} with states", SERIES, layer=layer(kind, units=3, return_state=True))
        backwards = layer(kind, units=3, go_backwards=True)
        yield case("Bidirectional", f"of {kind} backwards", SERIES, layer=backwards, but=BACKWARDS)
    yield case("Bidirectional", "of RNN", SERIES, layer=layer("RNN", cell=layer("GRUCell", units=3)), but=CELLS_INSIDE)
    yield case(
        "Bidirectional",
        "of two cells",
        SERIES,
        layer=layer("RNN", cell=[layer("GRUCell", units=3), layer("LSTMCell", units=2)]),
        but=CELLS_INSIDE,
    )
    yield case(
        "Bidirectional",
        "with another backward layer",
        SERIES,
        layer=layer("LSTM", units=3),
        backward_layer=layer("GRU", units=2, go_backwards=True),
    )
    yield case("Bidirectional", "of unknown steps", (None, 3), layer=layer("LSTM", units=2))
    yield case("Bidirectional", "in a stack", SERIES, stack=True, layer=layer("LSTM", units=2))
    code = "y = r(x, initial_state=[a, b, c, d])"
    inputs = {"x": Input(SERIES), **{name: Input((2,)) for name in "abcd"}}
    yield made(
        "Bidirectional",
        "with initial states",
        wired(code, inputs, r=layer("Bidirectional", layer=layer("LSTM", units=2))),
    )


def distributed() -> Iterator[Case]:
    inner: dict[str, tuple[tuple[int | None, ...], Layer]] = {
        "Dense": ((5, 3), layer("Dense", units=2)),
        "Conv2D": ((3, 6, 5, 2), layer("Conv2D", filters=2, kernel_size=3, padding="same")),
        "MaxPooling2D": ((3, 6, 5, 2), layer("MaxPooling2D")),
        "Flatten": ((3, 4, 2), layer("Flatten")),
        "LSTM": ((3, 4, 2), layer("LSTM", units=2)),
        "BatchNormalization": ((3, 4, 2), layer("BatchNormalization")),
        "GlobalAveragePooling2D": ((3, 6, 5, 2), layer("GlobalAveragePooling2D")),
        "Dropout": ((3, 4), layer("Dropout", rate=0.5)),
    }
    for kind, (shape, given) in inner.items():
        yield case("TimeDistributed", f"of {kind}", shape, layer=given)
    yield case("TimeDistributed", "of unknown steps", (None, 3), layer=layer("Dense", units=2))
    yield case("TimeDistributed", "of unknown images", (None, 6, 5, 2), layer=layer("Conv2D", filters=2, kernel_size=2))
    yield case("TimeDistributed", "twice", (3, 4, 2), layer=layer("TimeDistributed", layer=layer("Dense", units=2)))
    yield case(
        "TimeDistributed",
        "of masked steps",
        PADDED,
        before=[MASK],
        after=[layer("LSTM", units=2)],
        layer=layer("Dense", units=2),
    )


FILMS: Mapping[str, Shape] = {"ConvLSTM1D": (4, 6, 2), "ConvLSTM2D": (4, 6, 5, 2), "ConvLSTM3D": (3, 4, 5, 4, 2)}


def convolutional(kind: str) -> Iterator[Case]:
    film, size = FILMS[kind], {"filters": 2, "kernel_size": 2}
    yield case(kind, "plain", film, **size)
    for padding in ("valid", "same"):
        yield case(kind, f"{padding} of three", film, filters=3, kernel_size=3, padding=padding)
        yield case(kind, f"{padding} in strides", film, **size, padding=padding, strides=2)
    yield case(kind, "dilated", film, **size, dilation_rate=2)
    yield case(kind, "without bias", film, **size, use_bias=False)
    yield case(kind, "without a bias of one", film, **size, unit_forget_bias=False)
    yield case(kind, "activated", film, **size, activation="relu", recurrent_activation="sigmoid")
    yield case(kind, "with dropout", film, **size, dropout=0.5, recurrent_dropout=0.5)
    first = (film[0], film[-1], *film[1:-1])
    yield case(kind, "channels first", first, **size, data_format="channels_first")
    for flag in ("return_sequences", "return_state", "go_backwards"):
        yield case(kind, flag, film, **size, **{flag: True})
    yield case(kind, "of unknown steps", (None, *film[1:]), **size)
    yield case(kind, "twice", film, before=[layer(kind, **size, return_sequences=True)], **size)


CASES = [
    *(made_ for kind in LAYERS for made_ in recurrent(kind)),
    case("GRU", "with a bias before the reset", SERIES, units=4, reset_after=False),
    case("GRU", "with a bias before the reset of masked steps", PADDED, before=[MASK], units=4, reset_after=False),
    case("GRU", "with a bias after the reset", SERIES, units=4, reset_after=True, but=AFTER),
    case(
        "GRU", "with a bias after the reset without bias", SERIES, units=4, reset_after=True, use_bias=False, but=AFTER
    ),
    *(case(kind, "in another implementation", SERIES, units=4, implementation=1) for kind in ("GRU", "LSTM")),
    case("LSTM", "without a bias of one", SERIES, units=4, unit_forget_bias=False),
    *cells(),
    *bidirectional(),
    *distributed(),
    *(made_ for kind in FILMS for made_ in convolutional(kind)),
    case("ConvLSTM2D", "with an uneven kernel", FILMS["ConvLSTM2D"], filters=3, kernel_size=[3, 2]),
]
