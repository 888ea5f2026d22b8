import zipfile
from pathlib import Path


def make(project: Path) -> None:
    path = project / "m.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("model.json", "{}")
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    path.write_bytes(content)
