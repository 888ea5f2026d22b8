import zipfile
from pathlib import Path


def make(project: Path) -> None:
    with zipfile.ZipFile(project / "m.zip", "w", zipfile.ZIP_LZMA) as made, made.open("model.json", "w") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
