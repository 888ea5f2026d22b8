"""Does the checkpoint fit the graph?"""

from __future__ import annotations

import time
from pathlib import Path

from bundler.encoding.graphdef import structure
from bundler.errors import VerificationError
from bundler.outputs.checkpoint import prefix
from bundler.outputs.savedmodel import MetaGraph
from bundler.outputs.saver import restoring
from bundler.report import Check
from bundler.runtimes.failures import meaning
from bundler.runtimes.tensorflow import Runtime

__all__ = ["restore"]


def restore(folder: Path, metagraph: MetaGraph, runtime: Runtime) -> Check:
    """Restore the variables of a MetaGraph by its own nodes. Never more than one batch of them is in memory.

    Raises VerificationError if one is missing, damaged, or of another dtype.
    """
    started = time.perf_counter()
    with meaning(VerificationError):
        for name, part in restoring(metagraph.model, prefix(folder)):
            runtime.execute(structure(part), [name])
    size = sum(variable.weight.nbytes for variable in metagraph.variables)
    detail = f"{len(metagraph.variables)} variables of {size:,} bytes in {time.perf_counter() - started:.2f} s"
    return Check("restore", detail)
