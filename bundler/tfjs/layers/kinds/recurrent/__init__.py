"""Layers that go along an axis of steps: cells, sequences of their steps, and wrappers."""
