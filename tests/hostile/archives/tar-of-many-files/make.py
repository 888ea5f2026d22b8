import tarfile
from pathlib import Path


def make(project: Path) -> None:
    with tarfile.open(project / "m.tgz", "w:gz", compresslevel=1) as made:
        for number in range(20_001):
            folder = tarfile.TarInfo(f"{number}")
            folder.type = tarfile.DIRTYPE
            made.addfile(folder)
