"""Runs `bundler` again and again for the tests of this folder: a forked process for each run.

    python worker.py

A line of JSON on standard input is a run: `command`, `cwd`, `env`, and the files `stdout` and `stderr`. The line that
answers has its `status` (negative for a signal), its `seconds` of the processor with those of its processes, and the
peak memory in bytes of its largest process. A fork has all modules loaded: it takes a tenth of the time of a new
interpreter.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from typing import Any, NoReturn

import bundler.cli
import bundler.convert.every
import bundler.inspection.neighbours
import bundler.inspection.reports
import bundler.outputs.savedmodel
import bundler.verbs.written

PATIENCE = 120
"""Seconds after which a run is killed: it hangs, or the machine has other work."""


def main() -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)  # noqa: T201 - the answer


def run(asked: dict[str, Any]) -> dict[str, float]:
    """One run, in a process of its own."""
    deadline = time.monotonic() + PATIENCE
    process = os.fork()
    if not process:
        _become(asked)
    status, usage = _wait(process, deadline)
    return {
        "status": os.waitstatus_to_exitcode(status),
        "seconds": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss * 1024,
    }


def _wait(process: int, deadline: float) -> tuple[int, resource.struct_rusage]:
    while True:
        ended, status, usage = os.wait4(process, os.WNOHANG)
        if ended:
            return status, usage
        if time.monotonic() > deadline:
            os.killpg(process, signal.SIGKILL)
        time.sleep(0.002)


def _become(asked: dict[str, Any]) -> NoReturn:
    """Run the command in this process, and end it."""
    os.setsid()
    os.chdir(asked["cwd"])
    os.environ.update(asked["env"])
    for target, name in enumerate(["/dev/null", asked["stdout"], asked["stderr"]]):
        opened = os.open(name, os.O_RDONLY if target == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, target)
    sys.argv = ["bundler", *asked["command"]]
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode) for number, mode in enumerate("rww"))
    status = 0
    try:
        bundler.cli.run()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
