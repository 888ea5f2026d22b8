import tarfile
from pathlib import Path


def make(project: Path) -> None:
    info = tarfile.TarInfo("model.json")
    info.pax_headers = {"GNU.sparse.size": str(8 << 30), "GNU.sparse.offset": "0", "GNU.sparse.numbytes": "0"}
    with tarfile.open(project / "m.tgz", "w:gz", format=tarfile.PAX_FORMAT) as made:
        made.addfile(info)
