"""Convert the models of a manifest by so many jobs, write nothing, and note how long it took.

    python -m bench.conversions NOTE MANIFEST JOBS

The note has two numbers: seconds by the clock, and of all processors. What is loaded beforehand does not count.
"""

import gc
import os
import sys
import time
from pathlib import Path

from bundler.convert.every import convert_all
from bundler.manifest import read
from bundler.progress import SILENT

__all__: list[str] = []


def _measure(note: str, manifest: str, jobs: str) -> None:
    described = read(Path(manifest))
    gc.disable()  # as the command does
    started, worked = time.perf_counter(), sum(os.times()[:4])
    convert_all(described, int(jobs), SILENT)
    Path(note).write_text(f"{time.perf_counter() - started} {sum(os.times()[:4]) - worked}\n")


if __name__ == "__main__":
    _measure(*sys.argv[1:])
