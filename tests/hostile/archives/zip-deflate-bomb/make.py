import zipfile
from pathlib import Path


def make(project: Path) -> None:
    """140 MiB of zeros in 140 kB."""
    with zipfile.ZipFile(project / "m.zip", "w", zipfile.ZIP_DEFLATED) as made, made.open("model.json", "w") as file:
        for _ in range(140):
            file.write(bytes(1 << 20))
