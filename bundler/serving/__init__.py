"""TensorFlow Serving's rules for a bundle."""
