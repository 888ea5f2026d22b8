"""Graphs that are written node by node, with the dtype and shape of every tensor.

    tensors, loops ───────► scope ──────────► library
    common combinations      nodes             graphs and functions

A `value` is a tensor with what is known of it, a `sketch` one graph or the body of a function. Layers of Keras models
and the steps of composed signatures are written with these.
"""
