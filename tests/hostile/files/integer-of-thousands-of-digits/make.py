from pathlib import Path


def make(project: Path) -> None:
    """Python takes minutes for a million of them, or refuses them."""
    (project / "model" / "model.json").write_text('{"modelTopology": {"versions": {"producer": ' + "9" * 5000 + "}}}")
