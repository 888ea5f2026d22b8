"""BERT, GPT-2, ViT and T5, small, with the ops that the package transformers gives them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tests.whole.architectures.parts import Architecture, Weights, attention, gelu, gelu_new, heads, merged

__all__ = ["bert", "gpt2", "t5", "vit"]

Tensor = Any
TOKENS, WORDS, SIZE, HEADS = 12, 60, 32, 4
SCALE = (SIZE // HEADS) ** -0.5


def ids(count: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, count, (2, TOKENS)).astype(np.int32)


def encoder(weights: Weights, epsilon: float, *, first: bool) -> Any:
    """A layer whose norms come first (ViT) or last (BERT)."""
    q, k, v, out = (weights.dense(SIZE, SIZE) for _ in range(4))
    up, down = weights.dense(SIZE, 4 * SIZE), weights.dense(4 * SIZE, SIZE)
    norm1, norm2 = weights.layer_norm(SIZE, epsilon), weights.layer_norm(SIZE, epsilon)

    def mix(x: Tensor, mask: Tensor | None) -> Tensor:
        return out(merged(attention(*(heads(part(x), HEADS) for part in (q, k, v)), mask, SCALE)))

    def layer(x: Tensor, mask: Tensor | None = None) -> Tensor:
        if first:
            x = x + mix(norm1(x), mask)
            return x + down(gelu(up(norm2(x))))
        x = norm1(x + mix(x, mask))
        return norm2(x + down(gelu(up(x))))

    return layer


def bert() -> Architecture:
    weights = Weights(1)
    words, places, kinds = (weights.draw(count, SIZE, scale=0.5) for count in (WORDS, TOKENS, 2))
    norm, pool = weights.layer_norm(SIZE, 1e-12), weights.dense(SIZE, SIZE)
    layers = [encoder(weights, 1e-12, first=False) for _ in range(2)]

    def call(input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Mapping[str, Tensor]:
        x = norm(tf.gather(words, input_ids) + places[None] + tf.gather(kinds, token_type_ids))
        mask = (1.0 - tf.cast(attention_mask, tf.float32)[:, None, None, :]) * -10000.0
        for layer in layers:
            x = layer(x, mask)
        return {"hidden": x, "pooled": tf.tanh(pool(x[:, 0]))}

    attended = np.ones((2, TOKENS), np.int32)
    attended[1, 8:] = 0
    feeds = {"input_ids": ids(WORDS), "attention_mask": attended, "token_type_ids": ids(2)}
    return Architecture(call, feeds, weights)


def gpt2() -> Architecture:
    weights = Weights(2)
    words, places = weights.draw(WORDS, SIZE, scale=0.5), weights.draw(TOKENS, SIZE, scale=0.5)
    final = weights.layer_norm(SIZE, 1e-5)

    def decoder() -> Any:
        qkv, out = weights.dense(SIZE, 3 * SIZE), weights.dense(SIZE, SIZE)
        up, down = weights.dense(SIZE, 4 * SIZE), weights.dense(4 * SIZE, SIZE)
        norm1, norm2 = weights.layer_norm(SIZE, 1e-5), weights.layer_norm(SIZE, 1e-5)

        def layer(x: Tensor, mask: Tensor) -> Tensor:
            q, k, v = (heads(part, HEADS) for part in tf.split(qkv(norm1(x)), 3, axis=2))
            x = x + out(merged(attention(q, k, v, mask, SCALE)))
            return x + down(gelu_new(up(norm2(x))))

        return layer

    layers = [decoder() for _ in range(2)]

    def call(input_ids: Tensor) -> Mapping[str, Tensor]:
        x = tf.gather(words, input_ids) + places[None]
        rows = tf.range(TOKENS)
        mask = tf.where(rows[:, None] >= rows[None, :], 0.0, -10000.0)[None, None]
        for layer in layers:
            x = layer(x, mask)
        return {"logits": tf.matmul(final(x), tf.tile(words[None], [tf.shape(x)[0], 1, 1]), transpose_b=True)}

    return Architecture(call, {"input_ids": ids(WORDS)}, weights)


def vit() -> Architecture:
    weights = Weights(3)
    patches, head = weights.conv(8, 3, SIZE, 8, "VALID"), weights.dense(SIZE, 5)
    token, places = weights.draw(1, 1, SIZE), weights.draw(1, 17, SIZE)
    layers, norm = [encoder(weights, 1e-12, first=True) for _ in range(2)], weights.layer_norm(SIZE, 1e-12)

    def call(image: Tensor) -> Mapping[str, Tensor]:
        count = tf.shape(image)[0]
        x = tf.reshape(patches(image), [count, 16, SIZE])
        x = tf.concat([tf.repeat(token, count, axis=0), x], 1) + places
        for layer in layers:
            x = layer(x)
        return {"logits": head(norm(x)[:, 0])}

    image = np.random.default_rng(4).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    return Architecture(call, {"image": image}, weights)


def t5() -> Architecture:
    """Root mean squares for norms, relative places for biases, an encoder and a decoder."""
    weights = Weights(4)
    words, near = weights.draw(WORDS, SIZE, scale=0.5), weights.draw(2 * TOKENS - 1, HEADS)
    rows = np.arange(TOKENS)
    distance = rows[None, :] - rows[:, None] + TOKENS - 1
    causal = np.where(rows[:, None] >= rows[None, :], 0, -1e9).astype(np.float32)

    def norm() -> Any:
        gamma = weights.draw(SIZE, scale=0.5)
        return lambda x: gamma * (x * tf.math.rsqrt(tf.reduce_mean(tf.square(x), -1, keepdims=True) + 1e-6))

    def block() -> Any:
        q, k, v, out = (weights.draw(SIZE, SIZE) for _ in range(4))

        def mix(x: Tensor, y: Tensor, bias: Tensor | None) -> Tensor:
            parts = (heads(tf.tensordot(z, w, 1), HEADS) for z, w in ((x, q), (y, k), (y, v)))
            return tf.tensordot(merged(attention(*parts, bias, 1.0)), out, 1)

        return mix

    def feed() -> Any:
        gate, up, down = weights.draw(SIZE, 64), weights.draw(SIZE, 64), weights.draw(64, SIZE)
        return lambda x: tf.tensordot(gelu_new(tf.tensordot(x, gate, 1)) * tf.tensordot(x, up, 1), down, 1)

    norms, mixes, feeds = [norm() for _ in range(6)], [block() for _ in range(3)], [feed() for _ in range(2)]

    def call(input_ids: Tensor, decoder_input_ids: Tensor) -> Mapping[str, Tensor]:
        bias = tf.transpose(tf.gather(near, distance), [2, 0, 1])[None]
        x, y = tf.gather(words, input_ids), tf.gather(words, decoder_input_ids)
        x = x + mixes[0](norms[0](x), norms[0](x), bias)
        x = norms[2](x + feeds[0](norms[1](x)))
        y = y + mixes[1](norms[3](y), norms[3](y), bias + causal)
        y = y + mixes[2](norms[4](y), x, None)
        y = norms[5](y + feeds[1](norms[4](y)))
        return {"logits": tf.tensordot(y * math.sqrt(1 / SIZE), tf.transpose(words), 1)}

    return Architecture(call, {"input_ids": ids(WORDS), "decoder_input_ids": ids(WORDS, 5)}, weights)
