"""tfjs-graph-converter on many models in one process, in the mode in which it converts the most of them.

    python -m bench.predecessor FOLDER MODEL...

Runs in a Python that has it, and not us. Of each model that it can convert, a SavedModel is left in FOLDER; what
it says of the others is passed over.
"""

import sys
from contextlib import suppress
from pathlib import Path

__all__: list[str] = []


def _convert(folder: str, *models: str) -> None:
    from tfjs_graph_converter import api
    from tfjs_graph_converter.common import CompatMode

    for model in models:
        with suppress(Exception):
            output = Path(folder, Path(model).stem)
            api.graph_model_to_saved_model(model, str(output), compat_mode=CompatMode.TFLITE)


if __name__ == "__main__":
    _convert(*sys.argv[1:])
