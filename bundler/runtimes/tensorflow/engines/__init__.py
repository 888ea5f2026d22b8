"""The program of the child process of `bundler.runtimes.tensorflow`.

The modules are imported there as `engines`, without the rest of bundler. They import the standard library only, so that
TensorFlow's library begins to load within milliseconds.
"""
