"""Dense, Activation, Embedding and the layers that only change shapes or nothing at all."""

from __future__ import annotations

from tests.layers.case import JAVASCRIPT, KERAS_3, Refused, Reloads, case, lacks
from tests.layers.model import Input, ids, layer

ACTIVATIONS = (
    *("elu", "gelu", "hard_sigmoid", "linear", "mish", "relu", "selu", "sigmoid", "softmax", "softplus", "softsign"),
    *("swish", "tanh"),
)
"""Those that all three libraries have."""
UNKNOWN = "Unknown activation"
NO_KERAS = lacks(keras2=UNKNOWN, keras3="Could not interpret activation function identifier")
LACKING = {
    "exponential": lacks(javascript=UNKNOWN),
    "gelu_new": {**NO_KERAS, JAVASCRIPT: Reloads("Unknown activation: geluNew")},
    **{name: {} for name in ("log_softmax", "relu6")},
    **{name: lacks(javascript=UNKNOWN) for name in ("leaky_relu", "silu")},
    **{
        name: lacks(javascript=UNKNOWN, keras2=UNKNOWN)
        for name in (
            *("celu", "hard_shrink", "hard_silu", "hard_tanh", "log_sigmoid", "soft_shrink", "sparse_plus"),
            *("squareplus", "tanh_shrink"),
        )
    },
    **{
        name: {**lacks(javascript=UNKNOWN, keras2=UNKNOWN), KERAS_3: Refused("a field of the configuration is wrong")}
        for name in ("glu", "sparse_sigmoid", "sparsemax")
    },
}
WIDE = Input((10,), "wide")

CASES = [
    case("Dense", "plain", (4,), units=3),
    case("Dense", "without bias", (4,), units=3, use_bias=False, activation="tanh"),
    case("Dense", "on a matrix", (5, 4), units=3),
    case("Dense", "on a volume", (2, 5, 4), units=3, activation="relu"),
    case("Dense", "on unknown sizes", (None, 4), units=3),
    case("Dense", "on a batch of one", Input((4,), batch=1), units=3),
    case("Dense", "of a batch that is fixed", Input((4,), batch=3, fixed=True), units=3),
    case("Dense", "of many units", (300,), units=70),
    case("Dense", "in a stack", (4,), stack=True, units=3),
    case("Dense", "twice in a stack", (4,), stack=True, before=[layer("Dense", units=5)], units=3),
    *(case("Dense", name, WIDE, units=6, activation=name) for name in ACTIVATIONS),
    *(case("Activation", name, WIDE, activation=name) for name in ACTIVATIONS),
    *(case("Activation", name, WIDE, activation=name, but=but) for name, but in LACKING.items()),
    case("Activation", "softmax of a volume", (3, 4, 5), activation="softmax"),
    case("Activation", "softmax of one", (1,), activation="softmax"),
    case("Activation", "log_softmax of a matrix", (3, 4), activation="log_softmax"),
    *(
        case(kind, "passes", (5, 6), **options)
        for kind, options in {
            "Dropout": {"rate": 0.5},
            "GaussianNoise": {"stddev": 1.0},
            "GaussianDropout": {"rate": 0.5},
            "AlphaDropout": {"rate": 0.5},
            "SpatialDropout1D": {"rate": 0.5},
        }.items()
    ),
    case("Dropout", "with a noise shape", (5, 6), rate=0.5, noise_shape=[None, 1, 6]),
    case("SpatialDropout2D", "passes", (5, 6, 2), rate=0.5),
    case("SpatialDropout2D", "channels first", (5, 6, 2), rate=0.5, data_format="channels_first"),
    case("SpatialDropout3D", "passes", (5, 4, 3, 2), rate=0.5),
    case("SpatialDropout3D", "channels first", (5, 4, 3, 2), rate=0.5, data_format="channels_first"),
    case("ActivityRegularization", "passes", (5,), l1=0.1, l2=0.2),
    case("Identity", "passes", (5, 6)),
    case("Flatten", "plain", (3, 4, 2)),
    case("Flatten", "of a vector", (3,), but=lacks(javascript="expected min_ndim=3")),
    case("Flatten", "channels first", (3, 4, 2), data_format="channels_first"),
    case("Flatten", "channels first of a volume", (2, 3, 4, 2), data_format="channels_first"),
    case("Flatten", "of unknown sizes", (None, None, 2), but=lacks(javascript="is not fully defined")),
    case("Reshape", "plain", (6, 4), target_shape=[3, 8]),
    case("Reshape", "with a size that follows", (6, 4), target_shape=[3, -1, 2]),
    case("Reshape", "to a vector", (6, 4), target_shape=[-1]),
    case("Reshape", "of unknown sizes", (None, 4), target_shape=[-1, 2]),
    case("Permute", "of a matrix", (3, 4), dims=[2, 1]),
    case("Permute", "of a volume", (3, 4, 5), dims=[3, 1, 2]),
    case("Permute", "of unknown sizes", (None, 4, None), dims=[2, 3, 1]),
    case("RepeatVector", "plain", (4,), n=3),
    case("Masking", "of zeros", Input((6, 3), "padded")),
    case("Masking", "of another value", Input((6, 3), "padded"), mask_value=0.5),
    case("Embedding", "plain", ids(5), input_dim=4, output_dim=3),
    case("Embedding", "of int32", ids(5, dtype="int32"), input_dim=4, output_dim=3),
    case("Embedding", "of a matrix", ids(5, 2), input_dim=4, output_dim=3),
    case("Embedding", "of unknown sizes", ids(None), input_dim=4, output_dim=3),
    case("Embedding", "with a mask", ids(5), input_dim=4, output_dim=3, mask_zero=True),
    case("Embedding", "of a known length", ids(5), input_dim=4, output_dim=3, input_length=5),
    case("Embedding", "in a stack", ids(5), stack=True, input_dim=4, output_dim=3),
]
