"""The graph of a layers model, written node by node.

    walk ────────► kinds ───────────────► scope ───────────► library
    models, calls  layers, by their means  nodes, weights     what one model shares

`walk` goes through a description and calls the function of each layer: in the order of `order`, with the inputs of
`arguments`. A layer writes its nodes through its `scope`, with the steps of `tensors` and the loops of `loops`. A
`value` is a tensor with what is known of it, a `sketch` one graph or function, and `carried` a mask that TensorFlow.js
forgets to put down.
"""
