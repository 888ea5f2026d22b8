"""A TensorFlow.js model as files: the entry file, its shards, and every form in which programs store them."""
