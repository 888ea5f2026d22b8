"""Where the figures come from: they mean little without it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

from bundler import __version__

__all__ = ["facts"]


def facts() -> dict[str, str | int | float]:
    """Versions, processors, and how busy they were (the load average of the last minute)."""
    return {
        "bundler": __version__,
        "python": platform.python_version(),
        "tensorflow": version("tensorflow"),
        "numpy": version("numpy"),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
    }
