"""The parts that architectures share, as transformers and Keras write them in TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

__all__ = ["Architecture", "Weights", "attention", "gelu", "gelu_new", "heads", "merged"]

Tensor = Any


class Architecture(NamedTuple):
    """A function of TensorFlow with named outputs, inputs in its order, and what owns its weights."""

    call: Any
    feeds: Mapping[str, np.ndarray]
    owner: Any


class Weights(tf.Module):  # type: ignore[misc]
    """Random weights, drawn from one seed as they are asked for."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = np.random.default_rng(seed)
        self.made: list[Tensor] = []

    def draw(self, *shape: int, scale: float | None = None) -> Tensor:
        """A variable; its scale is that of a layer with the first dimensions as inputs."""
        size = scale if scale is not None else math.prod(shape[:-1]) ** -0.5
        self.made.append(tf.Variable(self._random.normal(0, size, shape), dtype=tf.float32))
        return self.made[-1]

    def dense(self, inputs: int, outputs: int) -> Any:
        """X @ w + b, for x of any rank."""
        w, b = self.draw(inputs, outputs), self.draw(outputs, scale=0.1)
        return lambda x: tf.nn.bias_add(tf.tensordot(x, w, 1), b)

    def conv(self, size: int, inputs: int, outputs: int, stride: int = 1, padding: str = "SAME") -> Any:
        """A convolution with a bias."""
        w, b = self.draw(size, size, inputs, outputs), self.draw(outputs, scale=0.1)
        return lambda x: tf.nn.bias_add(tf.nn.conv2d(x, w, stride, padding), b)

    def layer_norm(self, size: int, epsilon: float) -> Any:
        """`keras.layers.LayerNormalization` over the last axis, of a model whose epsilon is small."""
        gamma, beta = tf.Variable(1 + self.draw(size, scale=0.2)), self.draw(size, scale=0.2)
        self.made.append(gamma)

        def norm(x: Tensor) -> Tensor:
            mean, variance = tf.nn.moments(x, [len(x.shape) - 1], keepdims=True)
            return tf.nn.batch_normalization(x, mean, variance, beta, gamma, epsilon)

        return norm


def gelu(x: Tensor) -> Tensor:
    return x * 0.5 * (1.0 + tf.math.erf(x / tf.sqrt(2.0)))


def gelu_new(x: Tensor) -> Tensor:
    inner = tf.sqrt(2.0 / math.pi) * (x + 0.044715 * tf.pow(x, 3))
    return x * (0.5 * (1.0 + tf.tanh(inner)))


def heads(x: Tensor, count: int) -> Tensor:
    """[B, T, C] as [B, heads, T, C / heads]."""
    shape = tf.shape(x)
    return tf.transpose(tf.reshape(x, [shape[0], shape[1], count, x.shape[-1] // count]), [0, 2, 1, 3])


def merged(x: Tensor) -> Tensor:
    """The reverse."""
    shape = tf.shape(x)
    return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [shape[0], shape[2], x.shape[1] * x.shape[3]])


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float) -> Tensor:
    """softmax(q k' * scale + mask) v, on heads."""
    scores = tf.matmul(q, k, transpose_b=True) * scale
    return tf.matmul(tf.nn.softmax(scores if mask is None else scores + mask), v)
