import gzip
import tarfile
from pathlib import Path


def make(project: Path) -> None:
    folder = tarfile.TarInfo("m")
    folder.type, folder.size = tarfile.DIRTYPE, 1 << 30
    (project / "m.tgz").write_bytes(gzip.compress(folder.tobuf() + bytes(1024)))
