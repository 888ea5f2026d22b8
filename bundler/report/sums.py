"""The sha256 of each file of a bundle, as `sha256sum` writes and checks it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bundler.disk.digest import file_digests

__all__ = ["SUMS", "digests_of", "write_sums"]

SUMS = "assets.extra/SHA256SUMS"
"""The file's name in a bundle. Its paths start in the bundle's folder."""


def write_sums(folder: Path) -> None:
    """Write the file, after all others of the bundle."""
    (folder / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in digests_of(folder).items()))


def digests_of(folder: Path) -> Mapping[str, str]:
    """The sha256, in hex, of each file of a bundle but `SUMS`, by its name."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return file_digests(folder, sorted(name for name in names if name != SUMS))
