import struct
import zlib
from pathlib import Path


def make(project: Path) -> None:
    """Each member's content begins with the headers of all that follow, and ends with the same zeros."""
    kernel = zlib.compress(bytes(1 << 20))[2:-4]
    names = [f"{number}.bin" for number in range(100)]
    content, entries = b"", []
    for name in names:
        entries.append((name, len(content)))
        content += struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 0, 0, len(kernel), 1 << 20, len(name), 0)
        content += name.encode()
    content += kernel
    directory = b"".join(
        struct.pack(
            "<4s6H3I5H2I",
            *(b"PK\1\2", 20, 20, 0, 8, 0, 0, 0, len(kernel), 1 << 20, len(name), 0, 0, 0, 0, 0, offset),
        )
        + name.encode()
        for name, offset in entries
    )
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, len(names), len(names), len(directory), len(content), 0)
    (project / "m.zip").write_bytes(content + directory + end)
