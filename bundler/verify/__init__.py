"""Checks of a written bundle. Each function runs one, and returns a Check or raises VerificationError."""

from bundler.verify.batches import batches
from bundler.verify.load import graph, load
from bundler.verify.restore import restore

__all__ = ["batches", "graph", "load", "restore"]
