import tarfile
from pathlib import Path


def link(name: str, target: str) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = tarfile.SYMTYPE, target
    return made


def make(project: Path) -> None:
    with tarfile.open(project / "m.tgz", "w:gz") as made:
        made.addfile(link("model.json", "../../../etc/passwd"))
