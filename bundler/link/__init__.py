"""Many models become one, as object files become an executable.

Each model gets a scope of its own, they are joined, and weights that several of them hold are kept once.
"""

from __future__ import annotations

from bundler.link.join import join, link
from bundler.link.scope import scoped
from bundler.link.share import read_marks, share_weights

__all__ = ["join", "link", "read_marks", "scoped", "share_weights"]
