from pathlib import Path


def make(project: Path) -> None:
    (project / "w.bin").write_bytes(bytes(8))
    (project / "model" / "d").symlink_to("..")
