import io
import tarfile
from pathlib import Path


def link(name: str, target: str) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = tarfile.SYMTYPE, target
    return made


def make(project: Path) -> None:
    """10,000 copies of a megabyte."""
    with tarfile.open(project / "m.tgz", "w:gz") as made:
        file = tarfile.TarInfo("file")
        file.size = 1 << 20
        made.addfile(file, io.BytesIO(bytes(1 << 20)))
        for number in range(10_000):
            made.addfile(link(f"{number}", "file"))
