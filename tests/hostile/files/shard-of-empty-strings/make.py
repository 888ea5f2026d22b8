import gzip
from pathlib import Path


def make(project: Path) -> None:
    """2 GB of zeros are half a billion strings without a letter."""
    (project / "model" / "w.bin").write_bytes(gzip.compress(bytes(1 << 24)) * 128)
