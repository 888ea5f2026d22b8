import gzip
import tarfile
from pathlib import Path


def make(project: Path) -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 160 << 20
    (project / "m.tgz").write_bytes(gzip.compress(header.tobuf()) + gzip.compress(b"m" * (1 << 24)) * 10)
