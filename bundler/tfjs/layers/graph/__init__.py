"""The graph of a layers model, written node by node.

    walk ────────► kinds ───────────────► scope ───────────► library
    models, calls  layers, by their means  nodes, weights     what one model shares

`walk` goes through a description and calls the function of each layer: in the order of `order`, with the inputs of
`arguments`. A layer writes its nodes through its `scope`, with what `bundler.drafting` has: values, common steps, and
loops. `carried` is a mask that TensorFlow.js forgets to put down.
"""
