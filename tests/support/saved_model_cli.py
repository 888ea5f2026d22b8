"""TensorFlow's own tool to look into a SavedModel, and to run it."""

from __future__ import annotations

import io
import runpy
import sys
from contextlib import redirect_stdout
from pathlib import Path

from tests.support.elsewhere import call

__all__ = ["saved_model_cli"]


def saved_model_cli(*arguments: str) -> str:
    """What the tool prints. It lies next to the Python that has TensorFlow, and runs as it is, in a shared process."""
    return call(_run, str(Path(sys.executable).with_name("saved_model_cli")), arguments, environment={})


def _run(tool: str, arguments: tuple[str, ...]) -> str:
    from absl.flags import FLAGS

    for name in FLAGS:
        # Else an option of the last call stays, and is required if that call's command required it.
        FLAGS[name].unparse()
        FLAGS[name].validators.clear()
    printed, sys.argv = io.StringIO(), [tool, *arguments]
    with redirect_stdout(printed):
        try:
            runpy.run_path(tool, run_name="__main__")
        except SystemExit as end:
            if end.code:
                raise
    return printed.getvalue()
