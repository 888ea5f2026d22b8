"""TensorFlow's protobuf messages without TensorFlow's start-up.

`import tensorflow` takes 4 to 5 seconds; its generated `*_pb2` modules take 0.05. They import each other by full name.
While they load, a stub takes the place of the `tensorflow` package: it has the package's `__path__` and does not run
its `__init__`. The stub is removed afterwards. The modules stay in `sys.modules`, so a later `import tensorflow` finds
the same message classes.

No other module of bundler changes `sys.modules`, or imports `tensorflow` to build.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow.core.framework.attr_value_pb2 import AttrValue, NameAttrList
    from tensorflow.core.framework.function_pb2 import FunctionDef, FunctionDefLibrary
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef
    from tensorflow.core.framework.op_def_pb2 import OpDef
    from tensorflow.core.framework.tensor_pb2 import TensorProto
    from tensorflow.core.framework.tensor_shape_pb2 import TensorShapeProto
    from tensorflow.core.framework.variable_pb2 import VariableDef
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, SignatureDef, TensorInfo
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
    from tensorflow.core.protobuf.saved_object_graph_pb2 import (
        FunctionSpec,
        SavedBareConcreteFunction,
        SavedConcreteFunction,
        SavedConstant,
        SavedObject,
        SavedObjectGraph,
        SavedResource,
        SavedUserObject,
        SavedVariable,
    )
    from tensorflow.core.protobuf.saver_pb2 import SaverDef
    from tensorflow.core.protobuf.struct_pb2 import StructuredValue, TensorSpecProto
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

__all__ = [
    "AttrValue",
    "FunctionDef",
    "FunctionDefLibrary",
    "FunctionSpec",
    "GraphDef",
    "MetaGraphDef",
    "NameAttrList",
    "NodeDef",
    "OpDef",
    "SavedBareConcreteFunction",
    "SavedConcreteFunction",
    "SavedConstant",
    "SavedModel",
    "SavedObject",
    "SavedObjectGraph",
    "SavedResource",
    "SavedUserObject",
    "SavedVariable",
    "SaverDef",
    "SignatureDef",
    "StructuredValue",
    "TensorInfo",
    "TensorProto",
    "TensorShapeProto",
    "TensorSpecProto",
    "TrackableObjectGraph",
    "VariableDef",
    "tensorflow_folder",
]


def tensorflow_folder() -> Path:
    """The folder of the installed TensorFlow, found without importing it.

    Raises ModuleNotFoundError if TensorFlow is not installed.
    """
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("TensorFlow is not installed", name="tensorflow")
    return Path(spec.submodule_search_locations[0])


def _import_messages() -> dict[str, type]:
    """The message classes of `__all__`, by name."""
    if "tensorflow" in sys.modules:
        return _messages()
    stub = types.ModuleType("tensorflow")
    stub.__path__ = [str(tensorflow_folder())]
    sys.modules["tensorflow"] = stub
    try:
        return _messages()
    finally:
        del sys.modules["tensorflow"]


def _messages() -> dict[str, type]:
    from tensorflow.core.framework import (
        attr_value_pb2,
        function_pb2,
        graph_pb2,
        node_def_pb2,
        op_def_pb2,
        tensor_pb2,
        tensor_shape_pb2,
        variable_pb2,
    )
    from tensorflow.core.protobuf import (
        meta_graph_pb2,
        saved_model_pb2,
        saved_object_graph_pb2,
        saver_pb2,
        struct_pb2,
        trackable_object_graph_pb2,
    )

    modules = (
        attr_value_pb2,
        function_pb2,
        graph_pb2,
        meta_graph_pb2,
        node_def_pb2,
        op_def_pb2,
        saved_model_pb2,
        saved_object_graph_pb2,
        saver_pb2,
        struct_pb2,
        tensor_pb2,
        tensor_shape_pb2,
        trackable_object_graph_pb2,
        variable_pb2,
    )
    found = {name: message for module in modules for name, message in vars(module).items()}
    return {name: found[name] for name in __all__ if name in found}


if not TYPE_CHECKING:
    globals().update(_import_messages())
