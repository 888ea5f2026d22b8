import gzip
import tarfile
from pathlib import Path


def make(project: Path) -> None:
    header = tarfile.TarInfo("pipe")
    header.type, header.size = b"V", 8 << 30  # a volume's label, which has no content
    (project / "m.tgz").write_bytes(gzip.compress(header.tobuf()) + gzip.compress(bytes(1 << 24)) * 10)
