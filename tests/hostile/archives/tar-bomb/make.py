import gzip
import tarfile
from pathlib import Path


def make(project: Path) -> None:
    """160 MiB of zeros in 165 kB."""
    header = tarfile.TarInfo("model.json")
    header.size = 160 << 20
    (project / "m.tgz").write_bytes(gzip.compress(header.tobuf()) + gzip.compress(bytes(1 << 24)) * 10)
