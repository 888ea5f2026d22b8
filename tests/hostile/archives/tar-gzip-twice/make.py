import gzip
import tarfile
from pathlib import Path


def make(project: Path) -> None:
    with tarfile.open(project / "m.tgz", "w:gz") as made:
        made.addfile(tarfile.TarInfo("model.json"))
    (project / "m.tgz").write_bytes(gzip.compress((project / "m.tgz").read_bytes()))
