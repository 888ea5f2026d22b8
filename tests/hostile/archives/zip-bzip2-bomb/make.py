import zipfile
from pathlib import Path


def make(project: Path) -> None:
    """To read a part of it, bzip2 unpacks all of it."""
    with zipfile.ZipFile(project / "m.zip", "w", zipfile.ZIP_BZIP2) as made, made.open("model.json", "w") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
