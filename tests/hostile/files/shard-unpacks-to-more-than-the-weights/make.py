import gzip
from pathlib import Path


def make(project: Path) -> None:
    """20 GB of zeros for weights of 8 bytes."""
    (project / "model" / "w.bin").write_bytes(gzip.compress(bytes(1 << 24)) * 1280)
