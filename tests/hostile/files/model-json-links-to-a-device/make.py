from pathlib import Path


def make(project: Path) -> None:
    """The device has no end."""
    (project / "model" / "model.json").symlink_to("/dev/zero")
