import struct
from pathlib import Path


def make(project: Path) -> None:
    """46 MB, which Python's zipfile makes 1 GB of objects of."""
    record = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    directory = record * 1_000_000
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(directory), 0, 0)
    (project / "m.zip").write_bytes(directory + end)
