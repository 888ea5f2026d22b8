"""The Python API of tfjs-graph-converter, name for name: use `import bundler.api as tfjs` in its place.

    graph = tfjs.load_graph_model("models/posenet")     # a tf.Graph
    model = tfjs.graph_to_function_v2(graph)            # a function of the model's inputs
    tfjs.graph_model_to_frozen_graph("models/posenet", "posenet.pb")
    tfjs.graph_model_to_saved_model("models/posenet", "posenet")

docs/MIGRATING.md lists every name with its differences and their reasons. Importing this module does not import
TensorFlow and has no side effects; the calls that return or take a `tf.Graph` import it.
"""

from bundler.api.cuda import enable_cuda
from bundler.api.failures import InputError, ModelFormatError
from bundler.api.functions import ModelFunction, graph_def_to_graph_v1, graph_to_function_v2
from bundler.api.graphs import (
    NodeInfo,
    Tensor,
    get_input_nodes,
    get_input_tensors,
    get_output_nodes,
    get_output_tensors,
    infer_signature,
)
from bundler.api.models import (
    SIGNATURE_METHOD,
    SIGNATURE_OUTPUTS,
    CompatMode,
    graph_model_to_frozen_graph,
    graph_model_to_saved_model,
    graph_models_to_saved_model,
    load_graph_model,
    load_graph_model_and_signature,
)
from bundler.api.nodes import rename_input_nodes, rename_output_nodes
from bundler.api.renames import RenameMap
from bundler.ir.protos import GraphDef, SignatureDef

__all__ = [
    "SIGNATURE_METHOD",
    "SIGNATURE_OUTPUTS",
    "CompatMode",
    "GraphDef",
    "InputError",
    "ModelFormatError",
    "ModelFunction",
    "NodeInfo",
    "RenameMap",
    "SignatureDef",
    "Tensor",
    "enable_cuda",
    "get_input_nodes",
    "get_input_tensors",
    "get_output_nodes",
    "get_output_tensors",
    "graph_def_to_graph_v1",
    "graph_model_to_frozen_graph",
    "graph_model_to_saved_model",
    "graph_models_to_saved_model",
    "graph_to_function_v2",
    "infer_signature",
    "load_graph_model",
    "load_graph_model_and_signature",
    "rename_input_nodes",
    "rename_output_nodes",
]
