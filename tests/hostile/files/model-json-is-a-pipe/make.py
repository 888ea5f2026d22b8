import os
from pathlib import Path


def make(project: Path) -> None:
    """A reader of the pipe waits without end."""
    os.mkfifo(project / "model" / "model.json")
