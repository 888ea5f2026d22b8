import zipfile
from pathlib import Path


def make(project: Path) -> None:
    with zipfile.ZipFile(project / "m.zip", "w") as made:
        for number in range(20_001):
            made.writestr(f"{number}/", "")
