"""Run a module as `python -m` does, and note at its end how much memory it took.

    python -m bench.probe FILE MODULE [ARGUMENT...]

FILE gets two numbers of bytes: the peak of this process, and that of the largest process of its tree. They are taken
from inside because Linux lets a process begin with the peak of the one that started it (`ru_maxrss` lives through
fork and exec; VmHWM, see proc(5), does not). For the same reason a child's peak is at least ours: only the larger of
the two is noted.
"""

import atexit
import resource
import runpy
import sys

__all__: list[str] = []


def _own_peak() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def _note(path: str) -> None:
    own = _own_peak()
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    with open(path, "w") as note:
        note.write(f"{own} {max(own, children)}")


def _run(path: str, module: str, *arguments: str) -> None:
    atexit.register(_note, path)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _run(*sys.argv[1:])
