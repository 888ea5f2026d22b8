"""Detectors, and MobileNet in mixed precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from tests.whole.architectures.parts import Architecture, Weights

__all__ = ["mobilenet", "retinanet", "ssd"]

Tensor = Any
CLASSES, ANCHORS = 3, 2


def picture(size: int) -> np.ndarray:
    return np.random.default_rng(5).uniform(-1, 1, (1, size, size, 3)).astype(np.float32)


def ssd() -> Architecture:
    """Boxes and classes from two maps, decoded from anchors, then the best of each class."""
    weights = Weights(6)
    stem, deep = weights.conv(3, 3, 16, 2), weights.conv(3, 16, 24, 2)
    more, anchors = weights.conv(3, 24, 24, 2), weights.draw(160, 4, scale=0.3)
    boxes = [weights.conv(3, 24, 4 * ANCHORS) for _ in range(2)]
    scores = [weights.conv(3, 24, CLASSES * ANCHORS) for _ in range(2)]

    def call(image: Tensor) -> Mapping[str, Tensor]:
        first = tf.nn.relu6(deep(tf.nn.relu6(stem(image))))
        maps = [first, tf.nn.relu6(more(first))]
        count = tf.shape(image)[0]
        found = tf.concat([tf.reshape(head(x), [count, -1, 4]) for head, x in zip(boxes, maps)], 1)
        graded = tf.concat([tf.reshape(head(x), [count, -1, CLASSES]) for head, x in zip(scores, maps)], 1)
        center = found[..., :2] * 0.1 + anchors[:, :2]
        half = tf.exp(found[..., 2:] * 0.2) * (0.1 + tf.abs(anchors[:, 2:])) / 2
        corners, probabilities = tf.concat([center - half, center + half], -1), tf.nn.softmax(graded)
        kept = [
            tf.image.non_max_suppression(corners[0], probabilities[0, :, at], 5, 0.45, 0.1) for at in range(1, CLASSES)
        ]
        best = tf.concat([tf.gather(corners[0], index) for index in kept], 0)
        return {"corners": corners, "scores": probabilities, "best": best}

    return Architecture(call, {"image": picture(32)}, weights)


def retinanet() -> Architecture:
    """A pyramid of three maps, and heads that they share."""
    weights = Weights(7)
    down = [weights.conv(3, given, size, 2) for given, size in ((3, 8), (8, 16), (16, 24), (24, 32))]
    sides = [weights.conv(1, size, 16) for size in (16, 24, 32)]
    smooth = [weights.conv(3, 16, 16) for _ in range(3)]
    towers = {name: [weights.conv(3, 16, 16) for _ in range(2)] for name in ("boxes", "scores")}
    heads = {"boxes": weights.conv(3, 16, 4 * ANCHORS), "scores": weights.conv(3, 16, CLASSES * ANCHORS)}
    shortcut = weights.conv(1, 16, 16)

    def call(image: Tensor) -> Mapping[str, Tensor]:
        maps = [image]
        for conv in down:
            maps.append(tf.nn.relu(conv(maps[-1])))
        maps[2] = tf.nn.leaky_relu(shortcut(maps[2]) + maps[2], 0.1)
        levels = [side(x) for side, x in zip(sides, maps[2:])]
        for at in (1, 0):
            larger = tf.image.resize(levels[at + 1], tf.shape(levels[at])[1:3], "nearest")
            levels[at] = levels[at] + larger
        levels = [conv(x) for conv, x in zip(smooth, levels)]
        return {name: tf.concat([head(name, x) for x in levels], 1) for name in towers}

    def head(name: str, x: Tensor) -> Tensor:
        for conv in towers[name]:
            x = tf.nn.relu(conv(x))
        size = 4 if name == "boxes" else CLASSES
        made = tf.reshape(heads[name](x), [tf.shape(x)[0], -1, size])
        return made if name == "boxes" else tf.sigmoid(made)

    return Architecture(call, {"image": picture(64)}, weights)


def mobilenet() -> Architecture:
    """Keras' MobileNet with the policy mixed_float16, its batch norms with statistics as after training."""
    tf_keras.mixed_precision.set_global_policy("mixed_float16")
    tf_keras.utils.set_random_seed(8)
    model = tf_keras.applications.MobileNet((32, 32, 3), alpha=0.25, weights=None, classes=5)
    tf_keras.mixed_precision.set_global_policy("float32")
    random = np.random.default_rng(9)
    for layer in model.layers:
        if isinstance(layer, tf_keras.layers.BatchNormalization):
            size = layer.gamma.shape[0]
            mean, deviation = random.normal(0, 0.1, size), random.uniform(0.2, 0.6, size)
            layer.set_weights([random.uniform(0.8, 1.2, size), random.normal(0, 0.1, size), mean, deviation])
    return Architecture(lambda image: {"scores": tf.cast(model(image), tf.float32)}, {"image": picture(32)}, model)
