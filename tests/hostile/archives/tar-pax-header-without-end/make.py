import gzip
import tarfile
from pathlib import Path


def make(project: Path) -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 160 << 20
    (project / "m.tgz").write_bytes(gzip.compress(header.tobuf()) + gzip.compress(bytes(1 << 24)) * 10)
