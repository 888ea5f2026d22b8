"""How far a run is, on standard error: `meter` writes one line about the steps, `shown` shows it on a terminal."""

from bundler.cli.progress.shown import shown_progress

__all__ = ["shown_progress"]
