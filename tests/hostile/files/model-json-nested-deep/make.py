from pathlib import Path


def make(project: Path) -> None:
    (project / "model" / "model.json").write_text("[" * 100_000 + "]" * 100_000)
