"""A sequence into another: LSTM cells with attention, by Keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tests.whole.architectures.parts import Architecture

__all__ = ["seq2seq"]


def seq2seq() -> Architecture:
    tf_keras.utils.set_random_seed(10)
    layers = tf_keras.layers
    given, heard = layers.Input([9], dtype="int32"), layers.Input([7], dtype="int32")
    read, *state = layers.LSTM(16, return_sequences=True, return_state=True)(layers.Embedding(30, 12)(given))
    said = layers.LSTM(16, return_sequences=True)(layers.Embedding(30, 12)(heard), initial_state=state)
    seen = layers.LayerNormalization(epsilon=1e-6)(
        layers.Concatenate()([layers.AdditiveAttention()([said, read]), said])
    )
    model = tf_keras.Model([given, heard], layers.Dense(30, activation="softmax")(seen))
    random = np.random.default_rng(11)
    for weight in model.weights:
        weight.assign(random.normal(0, 0.4, weight.shape) + (1 if "gamma" in weight.name else 0))

    def call(source: Any, target: Any) -> Mapping[str, Any]:
        return {"words": tf.identity(model([source, target]))}

    feeds = {name: random.integers(0, 30, (2, size)).astype(np.int32) for name, size in (("source", 9), ("target", 7))}
    return Architecture(call, feeds, model)
