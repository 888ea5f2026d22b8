import zipfile
from pathlib import Path


def make(project: Path) -> None:
    """A megabyte of zeros, said to be two bytes."""
    path = project / "m.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("model.json", bytes(1 << 20))
    content = bytearray(path.read_bytes())
    for signature, size in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(signature) + size
        content[at : at + 4] = (2).to_bytes(4, "little")
    path.write_bytes(content)
