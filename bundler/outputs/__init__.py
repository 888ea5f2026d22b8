"""Output files: a SavedModel, a frozen graph, a checkpoint."""
