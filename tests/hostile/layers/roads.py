"""A model with a road to code: what each case of this folder puts somewhere else.

The code is a real one: a `Lambda` layer with the bytecode of a function that writes the file `marker` into the project,
as Keras' `func_dump` marshals it. That differs from one version of Python to the next, so that each case is made when
it runs.
"""

from __future__ import annotations

import base64
import json
import marshal
from pathlib import Path
from typing import Any

MARKER = "marker"
"""The file in the project's folder that the code writes if it runs."""


def _write_marker(x: Any) -> Any:
    """The code of the Lambda, which needs no globals."""
    open("marker", "w").close()
    return x


class Road:
    """A Functional model of an input `x` and a Dense layer `y`, whose parts a case changes before it is written.

    `code` is the Lambda, `stack` a Sequential with it, in the form that Keras' JSON hook makes a model of. `hidden` is
    that in an object without a class: who looks for classes alone passes it on.
    """

    def __init__(self, project: Path) -> None:
        self.project = project
        self.function = _marshalled(str(project / MARKER))
        self.code = {"class_name": "Lambda", "config": {"name": "sly", "batch_input_shape": [None, 2], **self.function}}
        self.stack = {
            "class_name": "Sequential",
            "__passive_serialization__": True,
            "config": {"name": "hidden", "layers": [self.code]},
        }
        self.hidden = {"inside": self.stack}
        self.input = layer("InputLayer", "x", batch_input_shape=[None, 2])
        self.layer = layer("Dense", "y", [["x", 0, 0, {}]], units=3)
        self.model: dict[str, Any] = {
            "name": "m",
            "layers": [self.input, self.layer],
            "input_layers": [["x", 0, 0]],
            "output_layers": [["y", 0, 0]],
        }
        self.document: dict[str, Any] = {
            "format": "layers-model",
            "modelTopology": {
                "keras_version": "2.15.0",
                "model_config": {"class_name": "Functional", "config": self.model},
            },
            "weightsManifest": [
                {
                    "paths": ["weights.bin"],
                    "weights": [
                        {"name": "y/kernel", "shape": [2, 3], "dtype": "float32"},
                        {"name": "y/bias", "shape": [3], "dtype": "float32"},
                    ],
                }
            ],
        }

    @property
    def config(self) -> dict[str, Any]:
        """The configuration of `y`."""
        config: dict[str, Any] = self.layer["config"]
        return config

    def instead(self, kind: str, **config: Any) -> None:
        """Have a layer of another kind in the place of `y`."""
        self.layer.update(layer(kind, "y", [["x", 0, 0, {}]], **config))

    def write(self) -> None:
        """Write the model to the project."""
        place = self.project / "model"
        place.mkdir(exist_ok=True)
        (place / "model.json").write_text(json.dumps(self.document))
        (place / "weights.bin").write_bytes(bytes(36))


def layer(kind: str, name: str, *nodes: Any, **config: Any) -> dict[str, Any]:
    """The entry of a layer in a model; `nodes` are its calls."""
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": list(nodes)}


def _marshalled(marker: str) -> dict[str, Any]:
    """The fields of a Lambda that writes this file."""
    code = _write_marker.__code__
    constants = tuple(marker if constant == MARKER else constant for constant in code.co_consts)
    text = base64.b64encode(marshal.dumps(code.replace(co_consts=constants))).decode()
    output = {"output_shape": None, "output_shape_type": "raw", "output_shape_module": None}
    function = {"function": [f"{text}\n", None, None], "function_type": "lambda", "module": "builtins"}
    return {**function, **output, "arguments": {}}
