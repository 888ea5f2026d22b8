import tarfile
from pathlib import Path


def make(project: Path) -> None:
    with tarfile.open(project / "m.tgz", "w:gz") as made:
        made.addfile(tarfile.TarInfo("model.json"))
        made.addfile(tarfile.TarInfo("model.json"))
