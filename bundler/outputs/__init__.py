"""What is written: a SavedModel, a frozen graph, a checkpoint."""
