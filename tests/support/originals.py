"""TensorFlow models, and what the converter of TensorFlow.js makes of them.

    python tests/originals.py <folder>

writes, for each row of VARIANTS, `<folder>/<name>/model.json` by the converter of the package `tensorflowjs`, and for
all `<folder>/answers.pickle`: what the original model gives for which inputs. It is a program of its own, for
importing that package takes longer than all that it does here.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

__all__ = ["ANSWERS", "VARIANTS", "Answer"]

ANSWERS = "answers.pickle"
Tensors = Mapping[str, np.ndarray]

VARIANTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    # the bundle's model: the original, options of the converter
    "plain": ("network", ()),
    "uint8": ("network", ("--quantize_uint8=*",)),
    "uint16": ("network", ("--quantize_uint16=*",)),
    "float16": ("network", ("--quantize_float16=*",)),
    "sharded": ("network", ("--weight_shard_size_bytes=1000",)),
    "loops_v1": ("loops", ()),
    "loops_v2": ("loops", ("--control_flow_v2=True",)),
    "branches_v1": ("branches", ()),
    "branches_v2": ("branches", ("--control_flow_v2=True",)),
    "rows_v1": ("rows", ()),
    "rows_v2": ("rows", ("--control_flow_v2=True",)),
    "tables": ("tables", ()),
    "old_tables": ("old_tables", ()),
    "heads": ("heads", ()),
    "structured": ("heads", ("--use_structured_outputs_names=True",)),
    "words": ("words", ()),
    "slopes": ("slopes", ()),
    "mixed": ("mixed", ()),
    "mixed_float16": ("mixed", ("--quantize_float16=*",)),
}


class Answer(NamedTuple):
    """What one model gives for these inputs, both by name."""

    feeds: Tensors
    outputs: Tensors


class Original(NamedTuple):
    """A function of TensorFlow, and inputs in its order."""

    function: Callable[..., Any]
    feeds: Tensors
    owner: Any = None


def main(folder: Path) -> None:
    import tensorflow as tf
    from tensorflowjs.converters import converter

    answers = {}
    for name, (original, options) in VARIANTS.items():
        saved = folder / "saved" / original
        if original not in answers:
            answers[original] = _saved(tf, original, saved)
        formats = ["--input_format=tf_saved_model", "--output_format=tfjs_graph_model"]
        converter.convert([*formats, *options, str(saved), str(folder / name)])
    given = {name: tuple(answers[original]) for name, (original, _) in VARIANTS.items()}
    (folder / ANSWERS).write_bytes(pickle.dumps(given))


def _saved(tf: Any, name: str, folder: Path) -> Answer:
    """Save an original model, and ask it."""
    if name == "old_tables":
        return _saved_old_tables(tf, folder)
    original = _ORIGINALS[name](tf)
    specs = [tf.TensorSpec([None, *value.shape[1:]], value.dtype, key) for key, value in original.feeds.items()]
    module = tf.Module()
    module.owned = original.owner
    module.call = tf.function(original.function, input_signature=specs)
    tf.saved_model.save(module, str(folder), signatures=module.call)
    outputs = module.call(*(tf.constant(value) for value in original.feeds.values()))
    return Answer(original.feeds, {key: value.numpy() for key, value in outputs.items()})


# The originals ---------------------------------------------------------------------------------------


def _network(tf: Any) -> Original:
    """Weights that every quantization keeps as they are: multiples of 1/64 from -2 to 127/64."""
    random = np.random.default_rng(0)
    levels = [np.resize(np.arange(-128, 128), size) / 64 for size in (3 * 3 * 2 * 16, 16 * 16)]
    for level in levels:
        random.shuffle(level)
    filters = tf.Variable(levels[0].reshape(3, 3, 2, 16), dtype=tf.float32)
    dense = tf.Variable(levels[1].reshape(16, 16), dtype=tf.float32)

    def call(image: Any) -> Any:
        features = tf.nn.relu6(tf.nn.conv2d(image, filters, 2, "SAME") + 0.5)
        return {"scores": tf.nn.softmax(tf.reduce_mean(features, [1, 2]) @ dense / 16)}

    return Original(call, {"image": random.random((2, 9, 9, 2), np.float32)}, [filters, dense])


def _loops(tf: Any) -> Original:
    """A loop in a loop, with a weight in the body of each."""
    weight = tf.Variable([[0.5, 0.25], [-0.5, 1.5]])

    def call(x: Any, times: Any) -> Any:
        for _ in tf.range(times[0]):
            x = x @ weight
            while tf.reduce_sum(tf.abs(x)) > 10.0:
                x = x * 0.5 + weight[0]
        return {"result": x}

    return Original(call, {"x": np.array([[3, 40]], np.float32), "times": np.array([5], np.int32)}, weight)


def _branches(tf: Any) -> Original:
    """A branch in a branch; one of them gives a constant."""
    weight = tf.Variable([1.0, 2.0, 3.0])

    def call(x: Any) -> Any:
        if tf.reduce_sum(x) > 0.0:
            y = tf.constant([[7.0, 8.0, 9.0]]) if tf.reduce_max(x) > 100.0 else x * weight
        else:
            y = x - weight
        return {"result": y}

    return Original(call, {"x": np.array([[1, 2, -1]], np.float32)}, weight)


def _rows(tf: Any) -> Original:
    """Results of turns, gathered in a tensor list."""
    weight = tf.Variable([[0.5, 0.25], [-0.5, 1.5]])

    def call(x: Any) -> Any:
        each = tf.map_fn(lambda row: tf.linalg.matvec(weight, row), x)
        return {"each": each, "sums": tf.scan(lambda sum, row: sum + row, each)[-1]}

    return Original(call, {"x": np.arange(6, dtype=np.float32).reshape(3, 2)}, weight)


def _tables(tf: Any) -> Original:
    """Strings to numbers, and back by another table."""
    words, numbers = tf.constant(["cat", "dog", "ä"]), tf.constant([3, 5, 8], tf.int64)
    initializer = tf.lookup.KeyValueTensorInitializer
    ids = tf.lookup.StaticHashTable(initializer(words, numbers), -1)
    names = tf.lookup.StaticHashTable(initializer(numbers, words), "unknown")
    prices = tf.lookup.StaticHashTable(initializer(words, tf.constant([1.5, 2.5, 3.5])), 0.0)

    def call(word: Any) -> Any:
        found = ids.lookup(word)
        return {"id": found, "name": names.lookup(found), "price": prices.lookup(word), "size": ids.size()}

    return Original(call, {"word": np.array(["dog", "fish", "ä", "cat"], object)}, [ids, names, prices])


def _heads(tf: Any) -> Original:
    """Two outputs of one dtype and shape, whose names come in no order."""
    weights = [tf.Variable(np.eye(3, dtype=np.float32) * factor) for factor in (2, 3)]

    def call(x: Any) -> Any:
        return {"right": x @ weights[0], "left": x @ weights[1], "above": tf.reduce_sum(x, 1)}

    return Original(call, {"x": np.arange(6, dtype=np.float32).reshape(2, 3)}, weights)


def _words(tf: Any) -> Original:
    def call(text: Any) -> Any:
        clean = tf.strings.regex_replace(text, "[^a-z ]", "")
        return {"clean": clean, "bucket": tf.strings.to_hash_bucket_fast(clean, 1000)}

    return Original(call, {"text": np.array(["a cat!", "", "(a dog)"], object)})


def _slopes(tf: Any) -> Original:
    """Convolutions and a product with a bias and a PReLU, as Keras writes it; the converter fuses the three."""
    random = np.random.default_rng(0)
    shapes = [(3, 3, 2, 4), (2, 2, 4, 2), (8, 8), (4,), (8,), (8,), (1, 1, 4), (8,), (8,)]
    conv, depthwise, dense, *biases, a, b, c = [
        tf.Variable(random.normal(size=shape), dtype=tf.float32) for shape in shapes
    ]

    def prelu(x: Any, slope: Any) -> Any:
        return tf.nn.relu(x) + -slope * tf.nn.relu(-x)

    def call(image: Any) -> Any:
        x = prelu(tf.nn.bias_add(tf.nn.conv2d(image, conv, 1, "SAME"), biases[0]), a)
        x = prelu(tf.nn.bias_add(tf.nn.depthwise_conv2d(x, depthwise, [1, 1, 1, 1], "SAME"), biases[1]), b)
        return {"found": prelu(tf.nn.bias_add(tf.reduce_mean(x, [1, 2]) @ dense, biases[2]), c)}

    return Original(
        call, {"image": random.normal(size=(2, 5, 5, 2)).astype(np.float32)}, [conv, depthwise, dense, *biases, a, b, c]
    )


def _mixed(tf: Any) -> Original:
    """Half precision as Keras' policy mixed_float16 has it: the statistics of a batch norm are float32."""
    random = np.random.default_rng(0)
    shapes = [(3, 3, 2, 4), (3, 3, 4, 1), (4, 3), (4,), (4,), (3,)]
    weights = [tf.Variable(random.uniform(-1, 1, size=shape), dtype=tf.float32) for shape in shapes]
    conv, depthwise, dense, offset, scale, bias = weights

    def half(x: Any) -> Any:
        return tf.cast(x, tf.float16)

    def norm(x: Any) -> Any:
        how = {"mean": offset / 2, "variance": scale * scale + 0.5, "is_training": False}
        return tf.compat.v1.nn.fused_batch_norm(x, scale, offset, **how)[0]

    def call(image: Any) -> Any:
        x = tf.nn.relu6(norm(tf.nn.conv2d(half(image), half(conv), 2, "SAME")))
        x = tf.nn.relu6(norm(tf.nn.depthwise_conv2d(x, half(depthwise), [1, 1, 1, 1], "SAME")))
        return {"scores": tf.reduce_mean(x, [1, 2]) @ half(dense) + half(bias)}

    return Original(call, {"image": random.uniform(size=(2, 9, 9, 2)).astype(np.float32)}, weights)


_ORIGINALS: Mapping[str, Callable[[Any], Original]] = {
    "network": _network,
    "loops": _loops,
    "branches": _branches,
    "rows": _rows,
    "tables": _tables,
    "heads": _heads,
    "words": _words,
    "slopes": _slopes,
    "mixed": _mixed,
}


def _saved_old_tables(tf: Any, folder: Path) -> Answer:
    """A model as TensorFlow 1 saved it: its tables are filled by an op of the graph."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        word = v1.placeholder(tf.string, [None], name="word")
        initializer = tf.lookup.KeyValueTensorInitializer(["cat", "dog"], tf.constant([1.5, 2.5]))
        price = tf.identity(tf.lookup.StaticHashTable(initializer, -1.0).lookup(word), name="price")
        session.run(v1.tables_initializer())
        signature = v1.saved_model.predict_signature_def({"word": word}, {"price": price})
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(
            session, ["serve"], signature_def_map={"serving_default": signature}, main_op=v1.tables_initializer()
        )
        builder.save()
        feeds = {"word": np.array(["dog", "fish"], object)}
        return Answer(feeds, {"price": session.run(price, {word: feeds["word"]})})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
