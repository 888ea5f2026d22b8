"""A first manifest for models that a user names: names for models and tensors, and the text of the file."""
