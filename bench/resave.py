"""Save a SavedModel again as TensorFlow does: `python -m bench.resave FROM TO`."""

from __future__ import annotations

import sys

__all__: list[str] = []


def _resave(source: str, to: str) -> None:
    import tensorflow as tf

    loaded = tf.saved_model.load(source)
    tf.saved_model.save(loaded, to, signatures=dict(loaded.signatures))


if __name__ == "__main__":
    _resave(*sys.argv[1:])
