import gzip
import tarfile
from pathlib import Path


def make(project: Path) -> None:
    """The map of a sparse file has a thousand million entries."""
    info = tarfile.TarInfo("model.json")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "model.json"}
    info.size = 160 << 20
    header = info.tobuf(tarfile.PAX_FORMAT)
    content = b"1000000000\n" + b"0\n" * (1 << 23)
    (project / "m.tgz").write_bytes(gzip.compress(header + content) + gzip.compress(bytes(1 << 24)) * 9)
