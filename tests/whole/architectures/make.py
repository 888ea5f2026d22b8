"""Architectures with random weights, and what the converter of TensorFlow.js makes of them.

    TF_USE_LEGACY_KERAS=1 python -m tests.whole.architectures.make FOLDER

writes `FOLDER/<name>/model.json` for each, and what the originals give for which inputs, `FOLDER/answers.pickle`.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import tensorflow as tf
from tensorflowjs.converters import converter

from tests.whole.architectures.parts import Architecture
from tests.whole.architectures.recurrent import seq2seq
from tests.whole.architectures.table import ANSWERS, TOLERANCES, Answer
from tests.whole.architectures.transformers import bert, gpt2, t5, vit
from tests.whole.architectures.vision import mobilenet, retinanet, ssd

MAKERS = (bert, gpt2, vit, t5, mobilenet, seq2seq, ssd, retinanet)


def main(folder: Path) -> None:
    """Save, ask and convert each architecture."""
    answers = {}
    for make in MAKERS:
        name = make.__name__
        answers[name] = tuple(_saved(make(), folder / "saved" / name))
        formats = ["--input_format=tf_saved_model", "--output_format=tfjs_graph_model"]
        converter.convert([*formats, str(folder / "saved" / name), str(folder / name)])
    assert answers.keys() == TOLERANCES.keys()
    (folder / ANSWERS).write_bytes(pickle.dumps(answers))


def _saved(made: Architecture, folder: Path) -> Answer:
    specs = [tf.TensorSpec([None, *value.shape[1:]], value.dtype, name) for name, value in made.feeds.items()]
    module = tf.Module()
    module.owner = made.owner
    module.call = tf.function(made.call, input_signature=specs)
    tf.saved_model.save(module, str(folder), signatures=module.call)
    outputs = module.call(*map(tf.constant, made.feeds.values()))
    return Answer(made.feeds, {key: value.numpy() for key, value in outputs.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
