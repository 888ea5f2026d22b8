"""The lock of a manifest: a TOML file beside it, which names each file that the bundle is made from.

`specs` has the types, `text` reads and writes the file, `differences` compares.
"""

from bundler.lockfile.differences import differences, file_faults, setting_faults
from bundler.lockfile.specs import Fetched, File, Files, Lock
from bundler.lockfile.text import is_ours, path_of, read, required, spelled

__all__ = [
    "Fetched",
    "File",
    "Files",
    "Lock",
    "differences",
    "file_faults",
    "is_ours",
    "path_of",
    "read",
    "required",
    "setting_faults",
    "spelled",
]
