from pathlib import Path


def make(project: Path) -> None:
    (project / "model" / "model.json").symlink_to("model.json")
