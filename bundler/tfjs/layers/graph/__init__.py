"""The graph of a layers model, written node by node.

walk ──► kinds ──► scope ──► sketch
models   layers    nodes     one graph
"""
