"""Checks of a written bundle. Each function runs one, and returns a Check or raises VerificationError."""

from bundler.checks.batches import batches
from bundler.checks.load import graph, load
from bundler.checks.restore import restore

__all__ = ["batches", "graph", "load", "restore"]
