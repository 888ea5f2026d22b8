"""What runs in the child process of `bundler.runtimes.tensorflow`.

These modules are imported there as `engines`, without the rest of bundler: they use the standard
library alone, so that TensorFlow's library begins to load within milliseconds.
"""
