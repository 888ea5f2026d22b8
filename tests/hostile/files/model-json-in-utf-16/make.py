from pathlib import Path


def make(project: Path) -> None:
    (project / "model" / "model.json").write_bytes('{"modelTopology": {}}'.encode("utf-16"))
