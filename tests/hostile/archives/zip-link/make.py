import stat
import zipfile
from pathlib import Path


def make(project: Path) -> None:
    link = zipfile.ZipInfo("model.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(project / "m.zip", "w") as made:
        made.writestr(link, "/etc/passwd")
