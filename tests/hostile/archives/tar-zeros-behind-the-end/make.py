import gzip
from pathlib import Path


def make(project: Path) -> None:
    """Two blocks of zeros end an archive; here 160 MiB of them follow."""
    (project / "m.tgz").write_bytes(gzip.compress(bytes(1 << 24)) * 10)
