import zipfile
from pathlib import Path


def make(project: Path) -> None:
    with zipfile.ZipFile(project / "m.zip", "w") as made:
        made.writestr("m/model.json", "{}")
        made.writestr("m", "{}")
