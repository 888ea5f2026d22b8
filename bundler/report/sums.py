"""The sha256 of each file of a bundle, as `sha256sum` writes and checks it."""

from __future__ import annotations

from pathlib import Path

from bundler.disk.digest import file_digests

__all__ = ["SUMS", "write_sums"]

SUMS = "assets.extra/SHA256SUMS"
"""The file's name in a bundle. Its paths start in the bundle's folder."""


def write_sums(folder: Path) -> None:
    """Write the file, after all others of the bundle."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = (f"{digest}  {name}\n" for name, digest in file_digests(folder, names).items() if name != SUMS)
    (folder / SUMS).write_text("".join(lines))
