"""What a bundle says of itself: `assets.extra/bundle.json`.

The folder `assets.extra` is the SavedModel format's own place for files that are not the graph's. By this
file bundler knows its own outputs again. It holds nothing that differs from machine to machine.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bundler import __version__
from bundler.publish import RECORD
from bundler.report import ModelReport

__all__ = ["write"]


def write(folder: Path, name: str, models: Sequence[ModelReport]) -> None:
    """Write the record of a bundle into its folder."""
    document = {
        "bundler": __version__,
        "name": name,
        "models": [{"name": model.name, "source": model.source, "digest": model.digest} for model in models],
    }
    path = folder / RECORD
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")
