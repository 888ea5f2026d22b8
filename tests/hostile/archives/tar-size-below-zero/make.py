import gzip
import tarfile
from pathlib import Path


def make(project: Path) -> None:
    """The next header is this one again."""
    header = tarfile.TarInfo("model.json")
    header.size = -512
    (project / "m.tgz").write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))
