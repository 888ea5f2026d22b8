"""What TensorFlow Serving asks of a bundle."""
