import os
from pathlib import Path


def make(project: Path) -> None:
    os.mkfifo(project / "m.zip")
