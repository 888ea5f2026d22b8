"""Save SavedModels as one, as TensorFlow does: `python -m bench.resave TO NAME=FOLDER...`.

Each folder holds one model with the signature `serving_default`, which gets the name in the result.
"""

from __future__ import annotations

import sys

__all__: list[str] = []


def _resave(to: str, *named: str) -> None:
    import tensorflow as tf

    loaded = {name: tf.saved_model.load(folder) for name, _, folder in (each.partition("=") for each in named)}
    together = tf.Module()
    together.models = list(loaded.values())
    signatures = {name: model.signatures["serving_default"] for name, model in loaded.items()}
    tf.saved_model.save(together, to, signatures=signatures)


if __name__ == "__main__":
    _resave(*sys.argv[1:])
