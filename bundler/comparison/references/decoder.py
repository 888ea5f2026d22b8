"""The decoder of images for TensorFlow.js in Node.js: Skia, as in Chrome, fetched once by the user's npm.

Skia is in a package for each platform, a native library; the package around it is JavaScript. Both must be those that
bundler knows. Node.js loads them from the cache, and npm runs no script.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from bundler.disk.cache import Cache, default_folder
from bundler.disk.reach import Reach
from bundler.errors import SourceError
from bundler.progress import Progress
from bundler.sources import npm

__all__ = ["PACKAGE", "decoder", "key"]

PACKAGE = "@napi-rs/canvas"
_VERSION = "1.1.1"
_WRAPPER = "sha512-UyNspnx0rXclATMOBXiWgy1xtWUSUDm4UOO6+YO8xzyVKaZRpvK+SlJSCtRoSI9J/mEqklJiPYtroN1B+hgLXg=="
_PLATFORMS = {
    ("linux", "x86_64"): (
        "linux-x64-gnu",
        "sha512-7bZfDI9lxKqj9wJRHiSQBimCRanxDGHYE7TugnOmFJ9ScpgFSsLHFQtOH9wvmbQvBwv5nBuDBGJlG0+7iGkN+w==",
    ),
    ("linux", "aarch64"): (
        "linux-arm64-gnu",
        "sha512-q1HBkNmB9mc6SF6uSz2492qSgsB46MqS+n3bPbPCE0kUXmWAPkH9vDADeawbhepQYn8RhlV2V/P5u6nykFXbuQ==",
    ),
    ("darwin", "arm64"): (
        "darwin-arm64",
        "sha512-NrPTZWpu0ywOGdp9JBDi46gABUzDJK6IzlP7cOEwaAuVVFM8KRakUWk12RK3YQ/Ea5FrNVTWUFTmkXVk4RfHqg==",
    ),
    ("darwin", "x86_64"): (
        "darwin-x64",
        "sha512-p3DOT8VBfu8cR3SVBUs6cEzJmzwOUQkNfo1S4nKLgeKDsSlvn2oZsRaa9m0lfMccn1WbwtgKCEpJXmHhp++Zrg==",
    ),
}
"""By `sys.platform` and `platform.machine()`, those of TensorFlow's wheels: the end of the package's name, and its
integrity as npm's lock has it."""


def decoder(base: Path, progress: Progress, reach: Reach) -> Path:
    """The folder of the package, ready for Node.js. npm fetches it, running in `base`.

    Raises SourceError if there is none for this machine, or npm cannot fetch it.
    """
    name, integrity = _of_this_machine()
    packages = {f"npm:{PACKAGE}@{_VERSION}": _WRAPPER, f"npm:{PACKAGE}-{name}@{_VERSION}": integrity}
    return npm.modules(key(), packages, base, Cache(default_folder(), progress, reach), progress) / PACKAGE


def key() -> str:
    """The key under which the cache keeps the packages. SourceError if there is none for this machine."""
    name, _ = _of_this_machine()
    return f"npm:{PACKAGE}@{_VERSION} for {name}"


def _of_this_machine() -> tuple[str, str]:
    machine = sys.platform, platform.machine()
    if machine not in _PLATFORMS:
        raise SourceError(f"there is no {PACKAGE} for this machine", found=" ".join(machine))
    return _PLATFORMS[machine]
