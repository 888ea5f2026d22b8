"""Results as lines of text, a module each."""
