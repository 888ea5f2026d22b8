from pathlib import Path


def make(project: Path) -> None:
    (project / "model" / "w.bin").symlink_to("/dev/zero")
